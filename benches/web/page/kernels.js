/** Multiply-adds a second of the library's kernels, and of the instruction that each is made of. */

import { startLibrary } from "./engines.js";

/** Channels out and in, pixels: the large layers of L-SSPQ50. Those that widen read through a shift. */
const SHAPES = [[256, 64, 3136], [64, 256, 3136], [512, 128, 784], [1024, 256, 196], [2048, 512, 49]];
const WEIGHT_BITS = [1, 2, 4];
const ACTIVATION_BITS = 4;
/** Milliseconds of warming up and of one turn. */
const [WARM_MS, TURN_MS] = [400, 8];
const TURNS = 15;

/** @typedef {{ network: string, engine: string, metric: string, unit: string, values: number[] }} Rate */

/**
 * How often something has to run to take a turn's time, found while it warms up.
 *
 * @param {(times: number) => unknown} run
 */
function calibrate(run) {
  let times = 1;
  for (const begin = performance.now(); performance.now() - begin < WARM_MS; ) {
    const from = performance.now();
    run(times);
    times = Math.max(1, Math.round((times * TURN_MS) / Math.max(performance.now() - from, 0.01)));
  }
  return times;
}

/** @returns {Promise<Rate[] | null>} null where the library was not built to be measured */
export async function kernels() {
  const { KernelBench } = /** @type {any} */ (await startLibrary());
  if (!KernelBench) return null;
  /** @type {Rate[]} */
  const rates = [];
  for (const bits of WEIGHT_BITS) {
    for (const [output, input, pixels] of SHAPES) {
      const shifted = output > input;
      const layer = new KernelBench(output, input, pixels, bits, ACTIVATION_BITS, shifted);
      const [times, turns] = [calibrate((n) => layer.run(n)), calibrate((n) => layer.peak(1000 * n))];
      await new Promise((resolve) => setTimeout(resolve, 50));
      const [layers, peaks] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
      for (let turn = 0; turn < TURNS; turn++) {
        const begin = performance.now();
        layer.run(times);
        const middle = performance.now();
        const multiplyAdds = layer.peak(1000 * turns);
        const end = performance.now();
        layers.push((times * output * input * pixels) / (middle - begin) / 1e6);
        peaks.push(multiplyAdds / (end - middle) / 1e6);
      }
      const network = `layer ${output} x ${input} on ${pixels} pixels${shifted ? ", shifted" : ""}`;
      const row = { network, engine: `lsspq, ${bits} bits (${layer.kernel()})` };
      rates.push({ ...row, metric: "kernel", unit: "GMAC/s", values: layers });
      const shares = layers.map((rate, turn) => (100 * rate) / peaks[turn]);
      rates.push({ ...row, metric: "kernel", unit: "% of the instruction's peak", values: shares });
      layer.free();
    }
  }
  return rates;
}
