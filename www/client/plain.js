/** What a plain classifier does not say itself: how its pictures are scaled, and what its classes are called. */

import { element } from "./dom.js";
import { plain as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").PlainOptions} PlainOptions */

export class PlainControls {
  #box = element("plain", HTMLElement);
  #note = element("plain-note", HTMLElement);
  #normalisation = element("normalisation", HTMLSelectElement);

  /** @param {(options: Partial<PlainOptions>) => void} onChange */
  constructor(onChange) {
    this.#normalisation.addEventListener("change", () => {
      onChange({ normalisation: /** @type {PlainOptions["normalisation"]} */ (this.#normalisation.value) });
    });
    const [button, input] = [element("open-labels", HTMLButtonElement), element("labels-file", HTMLInputElement)];
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", async () => {
      const file = input.files?.[0];
      if (file) onChange({ labelsText: await file.text() });
      input.value = "";
    });
  }

  /**
   * @param {import("../shared/messages.js").LoadedModel | null} loaded
   * @param {PlainOptions | null} options
   */
  show(loaded, options) {
    this.#box.hidden = loaded?.kind !== "plain" || !options;
    if (loaded?.kind !== "plain" || !options) return;
    this.#normalisation.value = options.normalisation;
    this.#note.textContent = words.note(loaded.info.named);
  }
}
