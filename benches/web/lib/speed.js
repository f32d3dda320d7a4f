/** Milliseconds per picture, all engines of a network in turns on one page. */

import { withPage } from "./browser.js";
import { rivals, theirs } from "./candidates.js";

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function speed({ plan, site, switchable }) {
  const [samples, notes] = [/** @type {import("../bench.js").Sample[]} */ ([]), /** @type {string[]} */ ([])];
  for (const network of plan.networks) {
    const candidates = rivals(network, switchable);
    const results = await withPage(async (page) => {
      await page.goto(`${site.address}page/index.html`);
      await page.waitForFunction("window.bench");
      const ask = /** @type {[unknown, number]} */ ([candidates, plan.turns]);
      return await page.evaluate(([candidates, turns]) => /** @type {any} */ (window).bench.speed(candidates, turns), ask);
    });
    const wanted = results[candidates.findIndex(({ label }) => label === theirs(network).label)].tops;
    for (const [i, { label, url }] of candidates.entries()) {
      const { inference, frame, tops, warm } = results[i];
      const row = { network: network.name, engine: label };
      samples.push({ ...row, metric: "inference", unit: "ms", values: inference });
      samples.push({ ...row, metric: "frame", unit: "ms", values: frame });
      notes.push(`${network.name}, ${label}: ${warm} runs until steady`);
      if (url === network.peer?.url) continue;
      const same = tops.filter((/** @type {number} */ top, /** @type {number} */ p) => top === wanted[p]).length;
      samples.push({ ...row, metric: "top-1 as onnxruntime-web's", unit: `of ${tops.length} pictures`, values: [same] });
    }
  }
  return { samples, notes };
}
