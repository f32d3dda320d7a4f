/** The answer: label, bars, and whether it is sure. */

import { Announcer } from "./announcer.js";
import { element, make } from "./dom.js";
import { showInput } from "./preview.js";
import { rememberChoice } from "./settings.js";
import { FADES_MS, Smoother } from "./smoothing.js";
import { Steady } from "./steady.js";
import { answer as words } from "./strings.js";
import { Timing } from "./timing.js";

/** @typedef {import("../shared/messages.js").Prediction} Prediction */

/** Classes asked for: more than are shown, so that one that drops out of the shown ones fades instead of vanishing. */
export const ASKED = 20;

/** The least probability that is called sure where the model file states none. */
export const DEFAULT_THRESHOLD = 0.5;

export class AnswerView {
  #box = element("answer", HTMLElement);
  #label = element("top-label", HTMLElement);
  #probability = element("top-probability", HTMLElement);
  #doubt = element("doubt", HTMLElement);
  #note = element("answer-note", HTMLElement);
  #bars = element("bars", HTMLElement);
  #previewBox = element("preview-box", HTMLElement);
  #smoother = new Smoother();
  #steady = new Steady();
  #announcer = new Announcer();
  #timing = new Timing();
  #choice = element("answers-by", HTMLSelectElement);
  #choiceBox = element("answers-by-box", HTMLElement);
  /** The classes of the model, and the threshold that its file states. */
  #model = { labels: /** @type {string[]} */ ([]), threshold: /** @type {number | null} */ (null) };
  /** Those that were taught, once there are two. @type {{ labels: string[], threshold: number } | null} */
  #taught = null;
  /** @type {string[]} */
  #labels = [];
  #threshold = DEFAULT_THRESHOLD;
  #shown = 5;
  /** Called with the taught classes of every answer, and what was named of them; null where nothing is seen or taught. */
  onTaught = (/** @type {Prediction[] | null} */ _taught, /** @type {{ top: Prediction, unsure: boolean } | null} */ _headline) => {};
  /** The classes that are shown, the likeliest first; empty where nothing is. @type {Prediction[]} */
  ranked = [];
  /** The class that is named. @type {{ top: Prediction, unsure: boolean } | null} */
  headline = null;

  constructor() {
    rememberChoice(element("smoothing", HTMLSelectElement), "smoothing", (choice) => {
      this.#smoother.fade_ms = FADES_MS[choice];
    });
    rememberChoice(element("top-count", HTMLSelectElement), "bars", (choice) => {
      this.#shown = Number(choice);
      this.#layRows();
      this.#fillRows();
    });
    this.#choice.addEventListener("change", () => this.#begin());
  }

  /**
   * Shows the empty answer of a model that is ready.
   *
   * @param {string[]} labels
   * @param {number | null} threshold of the model file
   */
  ready(labels, threshold) {
    this.#model = { labels, threshold };
    this.#taught = null;
    this.#box.hidden = false;
    this.#begin();
  }

  /**
   * Answers with taught classes too, if the visitor does not want those of the model; null where there are none.
   *
   * @param {{ labels: string[], threshold: number } | null} taught
   */
  setTaught(taught) {
    const before = this.#taught;
    this.#taught = taught;
    // The visitor has just taught them, and wants to see what came of it.
    if (taught && !before) this.#choice.value = "taught";
    if (!taught && !before) return;
    if (this.#choice.value === "taught" || !taught) this.#begin();
  }

  get #byTaught() {
    return this.#taught !== null && this.#choice.value === "taught";
  }

  /** The empty answer with the classes that are asked for. */
  #begin() {
    this.#choiceBox.hidden = !this.#taught;
    const { labels, threshold } = (this.#byTaught && this.#taught) || this.#model;
    this.#labels = labels;
    this.#threshold = threshold ?? DEFAULT_THRESHOLD;
    const knows = this.#byTaught ? words.knowsTaught(labels) : words.knows(labels);
    this.#note.textContent = `${knows} ${words.threshold(this.#threshold, threshold !== null)}`;
    this.#layRows();
    this.clear();
  }

  /** Forgets the last picture or camera. */
  clear() {
    this.#smoother.reset();
    this.#steady.reset();
    this.#announcer.reset();
    this.#timing.clear();
    this.ranked = [];
    this.headline = null;
    this.#label.textContent = words.none;
    this.#label.classList.remove("known");
    this.#probability.textContent = this.#doubt.textContent = "";
    this.#fillRows();
    this.#previewBox.hidden = true;
    this.#box.toggleAttribute("data-empty", true);
    this.onTaught(null, null);
  }

  /**
   * Shows what was seen.
   *
   * @param {import("../shared/messages.js").Answer} answer
   * @param {number} latency_ms from taking the frame to this answer
   * @param {boolean} final of a picture; a camera goes on
   */
  show({ predictions, taught, milliseconds, input }, latency_ms, final) {
    const now = performance.now();
    if (final) {
      this.#smoother.reset();
      this.#steady.reset();
    }
    const asked = this.#byTaught ? taught : predictions;
    // An answer that was under way while classes were taught knows others.
    if (this.#byTaught && (asked.length === 0 || asked.some(({ label, index }) => this.#labels[index] !== label))) return;
    const ranked = this.#smoother.add(asked, now);
    if (!ranked[0]) return;
    const { top, unsure } = this.#steady.choose(ranked, now, this.#threshold, final || this.#smoother.fade_ms === 0);
    this.ranked = ranked.slice(0, this.#shown);
    this.headline = { top, unsure };
    this.#box.toggleAttribute("data-empty", false);
    this.#label.textContent = top.label;
    this.#label.classList.toggle("known", !unsure);
    this.#probability.textContent = words.percent(top.probability);
    this.#doubt.textContent = unsure ? words.unsure : "";
    this.#fillRows();
    this.#announcer.hear(top, unsure, now, final);
    if (this.#taught) this.onTaught(taught, this.#byTaught ? this.headline : null);
    this.#timing.show(now, latency_ms, milliseconds, final);
    if (!input) return;
    showInput(input);
    this.#previewBox.hidden = false;
  }

  #layRows() {
    const rows = Array.from({ length: Math.min(this.#shown, this.#labels.length) }, () => {
      const row = make("li", "bar");
      const track = make("span", "bar-track");
      track.append(make("span", "bar-fill"));
      row.append(make("span", "bar-label"), track, make("span", "bar-value"));
      return row;
    });
    this.#bars.replaceChildren(...rows);
  }

  #fillRows() {
    [...this.#bars.children].forEach((row, i) => {
      const [name, track, value] = /** @type {HTMLElement[]} */ ([...row.children]);
      const { label, probability } = this.ranked[i] ?? { label: words.none, probability: 0 };
      name.textContent = name.title = label;
      /** @type {HTMLElement} */ (track.firstElementChild).style.setProperty("--share", String(probability));
      value.textContent = label === words.none ? "" : words.percent(probability);
    });
  }
}
