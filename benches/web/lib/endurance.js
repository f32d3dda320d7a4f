/** Frame after frame for minutes: whether latency and memory stay where they are. */

import { renderer, residentMib, withPage } from "./browser.js";
import { ours } from "./candidates.js";

const BUCKET_MS = 2000;

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function endurance({ plan, site }) {
  const [series, notes] = [/** @type {import("../bench.js").Series[]} */ ([]), /** @type {string[]} */ ([])];
  for (const network of plan.networks) {
    const candidate = ours(network);
    const row = { network: candidate.network, engine: candidate.label };
    await withPage(async (page, browser) => {
      await page.goto(`${site.address}page/index.html`);
      await page.waitForFunction("window.bench");
      page.setDefaultTimeout(0);
      await page.evaluate((candidate) => /** @type {any} */ (window).bench.prepare(candidate), candidate);
      const process = await renderer(browser);
      /** @type {[number, number][]} */
      const resident = [];
      const begin = performance.now();
      const watch = setInterval(() => {
        resident.push([(performance.now() - begin) / 60_000, residentMib(process, "VmRSS")]);
      }, BUCKET_MS);
      try {
        const ask = [plan.minutes, BUCKET_MS];
        const points = await page.evaluate(([minutes, bucket]) => /** @type {any} */ (window).bench.endure(minutes, bucket), ask);
        /** @param {"latency" | "linear" | "heap"} field @returns {[number, number][]} */
        const over = (field) => points.map((/** @type {any} */ p) => [p.minute, p[field]]);
        series.push({ ...row, metric: "frame", unit: "ms", points: over("latency") });
        series.push({ ...row, metric: "wasm memory", unit: "MiB", points: over("linear") });
        series.push({ ...row, metric: "JavaScript heap", unit: "MiB", points: over("heap") });
        series.push({ ...row, metric: "resident memory of the renderer", unit: "MiB", points: resident });
        const frames = points.reduce((/** @type {number} */ sum, /** @type {any} */ p) => sum + p.frames, 0);
        notes.push(`${network.name}: ${frames} frames in ${plan.minutes} minutes`);
      } finally {
        clearInterval(watch);
      }
    });
  }
  return { series, notes };
}
