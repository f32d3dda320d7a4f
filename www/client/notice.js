/** The one place where the page says that something went wrong, and offers a way on. */

import { element } from "./dom.js";

export class Notice {
  #box = element("notice", HTMLElement);
  #words = element("notice-words", HTMLElement);
  #button = element("notice-action", HTMLButtonElement);
  #topic = "";
  #act = () => {};

  constructor() {
    this.#button.addEventListener("click", () => this.#act());
  }

  /**
   * @param {string} topic what it is about, such as `camera`: clear() takes it away
   * @param {string} words
   * @param {{ label: string, act: () => void }} [action]
   */
  show(topic, words, action) {
    // Said again only where it is another sentence: a camera that is still busy is no news.
    const known = !this.#box.hidden && this.#topic === topic && this.#words.textContent === words;
    this.#topic = topic;
    if (!known) this.#words.textContent = words;
    this.#button.hidden = !action;
    this.#button.textContent = action?.label ?? "";
    this.#act = action?.act ?? (() => {});
    this.#box.hidden = false;
  }

  /** @param {string} topic takes the notice away if it is about this */
  clear(topic) {
    if (this.#topic !== topic) return;
    this.#topic = "";
    this.#box.hidden = true;
  }
}
