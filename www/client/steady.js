/** Which class is named, and whether it is sure: decisions that hold for a while instead of flickering. */

/** @typedef {import("../shared/messages.js").Prediction} Prediction */

/** Another class takes the headline at once when it leads by this much, */
const LEAD = 0.1;
/** or when it has been ahead for this long, in milliseconds. */
const AHEAD_MS = 500;
/** How far the probability must pass the threshold before "not sure" comes or goes. */
const MARGIN = 0.03;

export class Steady {
  /** @type {number | null} */
  #named = null;
  #challenger = -1;
  #since = 0;
  /** @type {boolean | null} */
  #unsure = null;

  reset() {
    this.#named = this.#unsure = null;
    this.#challenger = -1;
  }

  /**
   * @param {Prediction[]} ranked the likeliest first, at least one
   * @param {number} now in milliseconds
   * @param {number} threshold the least probability that is called sure
   * @param {boolean} raw decides by this answer alone
   * @returns {{ top: Prediction, unsure: boolean }}
   */
  choose(ranked, now, threshold, raw) {
    if (raw) this.reset();
    const top = this.#headline(ranked, now);
    const margin = this.#unsure === null ? 0 : this.#unsure ? MARGIN : -MARGIN;
    this.#unsure = top.probability < threshold + margin;
    return { top, unsure: this.#unsure };
  }

  /**
   * @param {Prediction[]} ranked
   * @param {number} now
   */
  #headline(ranked, now) {
    const first = ranked[0];
    const named = ranked.find(({ index }) => index === this.#named);
    if (!named || first.index === named.index) {
      this.#named = first.index;
      this.#challenger = -1;
      return first;
    }
    if (first.index !== this.#challenger) {
      this.#challenger = first.index;
      this.#since = now;
    }
    if (first.probability - named.probability < LEAD && now - this.#since < AHEAD_MS) return named;
    this.#named = first.index;
    this.#challenger = -1;
    return first;
  }
}
