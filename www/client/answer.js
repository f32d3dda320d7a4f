/** The answer: label, bars, and how long it took. */

import { Announcer } from "./announcer.js";
import { element, make } from "./dom.js";
import { Smoother } from "./smoothing.js";
import { answer as words } from "./strings.js";

/** Rows of bars. */
const SHOWN = 5;

/** Classes asked for: more than are shown, so that one that drops out of the first five fades instead of vanishing. */
export const ASKED = 10;

/** Frames over whose times the middle one is shown. */
const REMEMBERED = 15;

export class AnswerView {
  #box = element("answer", HTMLElement);
  #label = element("top-label", HTMLElement);
  #probability = element("top-probability", HTMLElement);
  #note = element("answer-note", HTMLElement);
  #bars = element("bars", HTMLElement);
  #latency = element("latency", HTMLElement);
  #rate = element("rate", HTMLElement);
  #breakdown = element("breakdown", HTMLElement);
  #previewBox = element("preview-box", HTMLElement);
  #preview = element("preview", HTMLCanvasElement);
  #previewCaption = element("preview-caption", HTMLElement);
  #smoother = new Smoother();
  #announcer = new Announcer();
  /** @type {number[]} */
  #latencies = [];
  /** @type {number[]} */
  #times = [];

  /**
   * Shows the empty answer of a model that is ready.
   *
   * @param {string[]} labels
   */
  ready(labels) {
    this.#box.hidden = false;
    this.#note.textContent = words.knows(labels);
    const rows = Array.from({ length: Math.min(SHOWN, labels.length) }, () => {
      const row = make("li", "bar");
      const track = make("span", "bar-track");
      track.append(make("span", "bar-fill"));
      row.append(make("span", "bar-label", words.none), track, make("span", "bar-value"));
      return row;
    });
    this.#bars.replaceChildren(...rows);
    this.clear();
  }

  /** Forgets the last picture or camera. */
  clear() {
    this.#smoother.reset();
    this.#announcer.reset();
    this.#latencies = [];
    this.#times = [];
    this.#label.textContent = words.none;
    this.#label.classList.remove("known");
    this.#probability.textContent = "";
    for (const node of [this.#latency, this.#rate, this.#breakdown]) node.textContent = words.none;
    for (const row of this.#bars.children) this.#fill(/** @type {HTMLElement} */ (row), words.none, 0);
    this.#previewBox.hidden = true;
    this.#box.toggleAttribute("data-empty", true);
  }

  /**
   * Shows what was seen.
   *
   * @param {import("../shared/messages.js").Answer} answer
   * @param {number} latency_ms from taking the frame to this answer
   * @param {boolean} final of a picture; a camera goes on
   */
  show({ predictions, milliseconds, input }, latency_ms, final) {
    const now = performance.now();
    const ranked = this.#smoother.add(predictions, now);
    const top = ranked[0];
    if (!top) return;
    this.#box.toggleAttribute("data-empty", false);
    this.#label.textContent = top.label;
    this.#label.classList.add("known");
    this.#probability.textContent = words.percent(top.probability);
    [...this.#bars.children].forEach((row, i) => {
      const { label, probability } = ranked[i] ?? { label: words.none, probability: 0 };
      this.#fill(/** @type {HTMLElement} */ (row), label, probability);
    });
    this.#announcer.hear(top, now, final);
    this.#showTimes(now, latency_ms, milliseconds, final);
    if (input) this.#showInput(input);
  }

  /**
   * @param {HTMLElement} row
   * @param {string} label
   * @param {number} probability
   */
  #fill(row, label, probability) {
    const [name, track, value] = /** @type {HTMLElement[]} */ ([...row.children]);
    name.textContent = label;
    /** @type {HTMLElement} */ (track.firstElementChild).style.setProperty("--share", String(probability));
    value.textContent = label === words.none ? "" : words.percent(probability);
  }

  /**
   * @param {number} now
   * @param {number} latency_ms
   * @param {import("../shared/messages.js").Milliseconds} milliseconds
   * @param {boolean} final
   */
  #showTimes(now, latency_ms, milliseconds, final) {
    this.#latencies = [...this.#latencies, latency_ms].slice(-REMEMBERED);
    const middle = [...this.#latencies].sort((a, b) => a - b)[this.#latencies.length >> 1];
    this.#latency.textContent = words.milliseconds(middle);
    this.#breakdown.textContent = words.breakdown(milliseconds);
    this.#times = [...this.#times, now].slice(-2 * REMEMBERED);
    const span = now - this.#times[0];
    this.#rate.textContent = final || span < 300 ? words.none : words.rate((1000 * (this.#times.length - 1)) / span);
  }

  /** @param {Float32Array} input [3, S, S] in [0, 1] */
  #showInput(input) {
    const side = Math.round(Math.sqrt(input.length / 3));
    const pixels = new ImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      for (let colour = 0; colour < 3; colour++) pixels.data[4 * i + colour] = Math.round(255 * input[colour * side * side + i]);
      pixels.data[4 * i + 3] = 255;
    }
    if (this.#preview.width !== side) this.#preview.width = this.#preview.height = side;
    this.#preview.getContext("2d")?.putImageData(pixels, 0, 0);
    this.#previewCaption.textContent = words.preview(side);
    this.#previewBox.hidden = false;
  }
}
