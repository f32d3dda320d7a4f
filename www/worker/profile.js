/** Measures the model layer by layer on this device. */

import { steadyMeans } from "../shared/stats.js";
import { HEIGHT, WIDTH, pattern } from "./pattern.js";

/** Changes of the clock that are watched to see how finely it counts. */
const CHANGES = 20;

/**
 * Every run is made twice: whole, and with the clock read between the layers. What the reading costs is then to be seen.
 *
 * @param {import("../../pkg/lsspq.js").Classifier} classifier
 * @param {{ warmUp: number, runs: number }} count
 * @param {AbortSignal} signal
 * @param {(progress: import("../shared/messages.js").Progress) => void} report
 * @returns {Promise<import("../shared/messages.js").LayerTimes>}
 */
export async function profile(classifier, { warmUp, runs }, signal, report) {
  const picture = pattern();
  /** @type {number[][]} */
  const whole = [];
  /** @type {number[][]} */
  const layers = [];
  for (let run = 0; run < warmUp + runs && !signal.aborted; run++) {
    const { milliseconds } = classifier.classify(picture, WIDTH, HEIGHT, 1, false);
    await pause();
    const times = classifier.profile(picture, WIDTH, HEIGHT);
    if (run >= warmUp) {
      whole.push([milliseconds.inference]);
      layers.push([...times]);
    }
    report({ loaded: run + 1, total: warmUp + runs });
    await pause();
  }
  return { layers: steadyMeans(layers), whole: steadyMeans(whole)[0] ?? 0, runs: layers.length, tick: tick() };
}

/** Lets a cancellation be heard. A busy system also gives what begins afterwards a fresh turn: both kinds of run alike. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

/** The smallest step of the clock in milliseconds. Browsers make it coarse, each in its own way. */
function tick() {
  let [smallest, before] = [Infinity, performance.now()];
  for (let changes = 0; changes < CHANGES; ) {
    const now = performance.now();
    if (now === before) continue;
    smallest = Math.min(smallest, now - before);
    before = now;
    changes++;
  }
  return smallest;
}
