/** What can be done with a result: hold it, copy it, save it as a picture. */

import { element } from "./dom.js";
import { annotate } from "./snapshot.js";
import { tools as words } from "./strings.js";

/** How long a button says that it is done, in milliseconds. */
const DONE_MS = 1600;

export class Tools {
  #view;
  #source;
  #notice;
  #box = element("tools", HTMLElement);
  #freeze = element("freeze", HTMLButtonElement);
  #copy = element("copy", HTMLButtonElement);
  #save = element("save", HTMLButtonElement);
  /** Named under what is copied and saved. */
  modelName = "";

  /**
   * @param {import("./answer.js").AnswerView} view
   * @param {import("./source.js").Source} source
   * @param {import("./notice.js").Notice} notice
   */
  constructor(view, source, notice) {
    this.#view = view;
    this.#source = source;
    this.#notice = notice;
    source.onChange = () => {
      this.#box.hidden = source.showing === "idle";
      this.#freeze.hidden = source.showing !== "live";
      this.#press(false);
    };
    this.#freeze.addEventListener("click", () => {
      const on = this.#freeze.getAttribute("aria-pressed") !== "true";
      this.#press(on);
      source.freeze(on);
    });
    this.#copy.addEventListener("click", () => this.#attempt(this.#copy, words.copied, () => copyText(this.#text())));
    this.#save.addEventListener("click", () => this.#attempt(this.#save, words.saved, () => this.#saveAll()));
  }

  /** @param {boolean} on */
  #press(on) {
    this.#freeze.setAttribute("aria-pressed", String(on));
    this.#freeze.textContent = on ? words.goOn : words.freeze;
  }

  #text() {
    const { headline, ranked } = this.#view;
    return headline ? words.result(headline, ranked, this.modelName) : "";
  }

  async #saveAll() {
    const picture = await this.#source.grab();
    const { headline } = this.#view;
    if (!picture || !headline) throw new Error(words.nothing);
    const blob = await annotate(picture, headline, this.modelName, this.#source.mirrored);
    download(blob, `lsspq-${headline.top.label.replace(/[^\p{L}\p{N}]+/gu, "-")}.png`);
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {string} done
   * @param {() => Promise<void>} act
   */
  async #attempt(button, done, act) {
    const label = button.dataset.label ?? (button.dataset.label = button.textContent ?? "");
    try {
      await act();
      this.#notice.clear("tools");
      button.textContent = done;
      setTimeout(() => (button.textContent = label), DONE_MS);
    } catch (error) {
      this.#notice.show("tools", words.failed(/** @type {Error} */ (error).message));
    }
  }
}

/**
 * Copies a text. Rejects where the browser does not allow it.
 *
 * @param {string} text
 */
export async function copyText(text) {
  if (!text) throw new Error(words.nothing);
  if (!navigator.clipboard) throw new Error(words.noClipboard);
  await navigator.clipboard.writeText(text);
}

/**
 * Hands a file to the visitor.
 *
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
