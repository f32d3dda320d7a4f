/** The multiply-adds a second of the library's kernels, beside the peak of the instruction that they are made of. */

import { withPage } from "./browser.js";
import { OURS } from "./candidates.js";

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function kernels({ site }) {
  const rates = await withPage(async (page) => {
    await page.goto(`${site.address}page/index.html`);
    await page.waitForFunction("window.bench");
    return await page.evaluate(() => /** @type {any} */ (window).bench.kernels());
  });
  if (!rates) return { notes: ["this build of the library has no kernel benchmark: build it with the feature `bench`"] };
  return { samples: rates.map((/** @type {any} */ rate) => ({ ...rate, engine: OURS, unit: rate.unit ?? "GMAC/s" })) };
}
