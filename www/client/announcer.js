/** Tells screen readers what is seen: calmly, only when it changed and stayed. */

import { element } from "./dom.js";
import { answer } from "./strings.js";

/** How long a label must stay before it is said, and how long it is quiet after saying one, in milliseconds. */
const STAY_MS = 800;
const QUIET_MS = 3000;

export class Announcer {
  #region = element("announcer", HTMLElement);
  #candidate = "";
  #since = 0;
  #said = "";
  #saidAt = -QUIET_MS;

  /** Says the next label even if it is the last one again. */
  reset() {
    this.#candidate = this.#said = "";
    this.#saidAt = -QUIET_MS;
  }

  /**
   * @param {import("../shared/messages.js").Prediction} top
   * @param {boolean} unsure
   * @param {number} now in milliseconds
   * @param {boolean} final says it at once: a picture does not change
   */
  hear({ label, probability }, unsure, now, final) {
    const heard = `${unsure} ${label}`;
    if (heard !== this.#candidate) {
      this.#candidate = heard;
      this.#since = now;
    }
    const settled = now - this.#since >= STAY_MS && now - this.#saidAt >= QUIET_MS;
    if (heard === this.#said || !(final || settled)) return;
    this.#said = heard;
    this.#saidAt = now;
    this.#region.textContent = answer.announce(label, probability, unsure);
  }
}
