/** The most memory that one engine with one network needs, in a browser of its own. */

import { renderer, residentMib, withPage } from "./browser.js";
import { ours, theirs } from "./candidates.js";

const FRAMES = 10;

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function memory({ plan, site }) {
  const samples = [await measure(site.address, null)].flat();
  for (const network of plan.networks) {
    for (const candidate of [ours(network), theirs(network)]) samples.push(...(await measure(site.address, candidate)));
  }
  return { samples };
}

/**
 * @param {string} address
 * @param {import("./candidates.js").Rival | null} candidate none: the page alone
 * @returns {Promise<import("../bench.js").Sample[]>}
 */
function measure(address, candidate) {
  return withPage(async (page, browser) => {
    await page.goto(`${address}page/index.html`);
    await page.waitForFunction("window.bench");
    const row = { network: candidate?.network ?? "none", engine: candidate?.label ?? "the page alone" };
    const samples = [];
    if (candidate) {
      const ask = /** @type {[unknown, number]} */ ([candidate, FRAMES]);
      const linear = await page.evaluate(([candidate, frames]) => /** @type {any} */ (window).bench.memory(candidate, frames), ask);
      samples.push({ ...row, metric: "wasm memory", unit: "MiB", values: [linear] });
    }
    const peak = residentMib(await renderer(browser), "VmHWM");
    return [...samples, { ...row, metric: "peak resident memory of the renderer", unit: "MiB", values: [peak] }];
  });
}
