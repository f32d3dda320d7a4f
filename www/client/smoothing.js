/** Probabilities that do not flicker from frame to frame. */

/** @typedef {import("../shared/messages.js").Prediction} Prediction */

/** Time in which an old answer loses about two thirds of its weight, by the visitor's choice, in milliseconds. */
export const FADES_MS = /** @type {Record<string, number>} */ ({ off: 0, light: 90, normal: 180, strong: 600 });

export class Smoother {
  /** @type {Map<number, Prediction>} */
  #classes = new Map();
  #last = 0;
  /** One of FADES_MS; 0 gives every frame as it is. */
  fade_ms = FADES_MS.normal;

  /** Forgets everything, as for another picture. */
  reset() {
    this.#classes.clear();
  }

  /**
   * Takes the likeliest classes of one frame in, and gives those of the last moments.
   *
   * @param {Prediction[]} predictions
   * @param {number} now in milliseconds
   * @returns {Prediction[]} the likeliest first
   */
  add(predictions, now) {
    if (this.fade_ms === 0) {
      this.reset();
      return predictions;
    }
    const keep = this.#classes.size === 0 ? 0 : Math.exp(-(now - this.#last) / this.fade_ms);
    this.#last = now;
    const fresh = new Map(predictions.map((p) => [p.index, p]));
    for (const known of this.#classes.values()) {
      if (!fresh.has(known.index)) fresh.set(known.index, { ...known, probability: 0 });
    }
    for (const [index, p] of fresh) {
      const before = this.#classes.get(index)?.probability ?? 0;
      const probability = keep * before + (1 - keep) * p.probability;
      // What faded away need not be kept for ever.
      if (probability < 1e-6 && p.probability === 0) this.#classes.delete(index);
      else this.#classes.set(index, { ...p, probability });
    }
    return [...this.#classes.values()].sort((a, b) => b.probability - a.probability || a.index - b.index);
  }
}
