/** Measures the model on this device. */

import { HEIGHT, WIDTH, pattern } from "./pattern.js";

/** @typedef {import("../shared/messages.js").Milliseconds} Milliseconds */

/**
 * @param {import("./load.js").Answering["classifier"]} classifier
 * @param {{ warmUp: number, runs: number }} count
 * @param {AbortSignal} signal
 * @param {(progress: import("../shared/messages.js").Progress) => void} report
 * @returns {Promise<Milliseconds[]>}
 */
export async function benchmark(classifier, { warmUp, runs }, signal, report) {
  const picture = pattern();
  /** @type {Milliseconds[]} */
  const times = [];
  for (let run = 0; run < warmUp + runs && !signal.aborted; run++) {
    const { milliseconds } = classifier.classify(picture, WIDTH, HEIGHT, 5, false);
    if (run >= warmUp) times.push(milliseconds);
    report({ loaded: run + 1, total: warmUp + runs });
    // Between two runs a cancellation can be heard.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return times;
}
