/** Measures the model on this device. */

/** @typedef {import("../shared/messages.js").Milliseconds} Milliseconds */

/** Size of the picture in pixels: what the camera gives. */
const [WIDTH, HEIGHT] = [640, 480];

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

/** RGBA pixels with edges and grain, the same every time. */
function pattern() {
  const rgba = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  let state = 1;
  for (let i = 0; i < rgba.length; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [x, y] = [(i >> 2) % WIDTH, Math.floor((i >> 2) / WIDTH)];
    rgba[i] = (x ^ y) & 255;
    rgba[i + 1] = (255 * x) / WIDTH;
    rgba[i + 2] = state >>> 24;
    rgba[i + 3] = 255;
  }
  return rgba;
}
