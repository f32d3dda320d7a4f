/** How much of the classifier has come, byte by byte. */

import { element } from "./dom.js";
import { loading } from "./strings.js";

/** @typedef {import("../shared/messages.js").Progress} Progress */

export class ProgressView {
  #box = element("loading", HTMLElement);
  #label = element("progress-label", HTMLElement);
  #bar = element("progress", HTMLProgressElement);
  #bytes = element("progress-bytes", HTMLElement);
  /** @type {Map<string, Progress>} */
  #parts = new Map();

  /**
   * Begins to show a load.
   *
   * @param {string} words
   * @param {string[]} parts the downloads that it waits for
   */
  begin(words, parts) {
    this.#parts = new Map(parts.map((part) => [part, { loaded: 0, total: null }]));
    this.#label.textContent = words;
    this.#bar.hidden = this.#bytes.hidden = false;
    this.#bar.removeAttribute("value");
    this.#bytes.textContent = "";
    this.#box.hidden = false;
  }

  /**
   * @param {string} part
   * @param {Progress} progress
   */
  update(part, progress) {
    if (!this.#parts.has(part)) return;
    this.#parts.set(part, progress);
    const all = [...this.#parts.values()];
    const loaded = all.reduce((sum, p) => sum + p.loaded, 0);
    const total = all.every((p) => p.total !== null) ? all.reduce((sum, p) => sum + (p.total ?? 0), 0) : null;
    if (total) this.#bar.value = loaded / total;
    this.#bytes.textContent = loading.bytes(loaded, total);
    if (loaded === total) this.#label.textContent = loading.preparing;
  }

  /** Says that nothing is being loaded and nothing is there. */
  fail() {
    this.#label.textContent = loading.failed;
    this.#bar.hidden = this.#bytes.hidden = true;
  }

  end() {
    this.#box.hidden = true;
  }
}
