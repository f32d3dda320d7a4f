/** Kernels, by a build of the library that lets them be called alone. */

import { withPage } from "./browser.js";

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function kernels({ site }) {
  const samples = await withPage(async (page) => {
    await page.goto(`${site.address}page/index.html?library=kernels`);
    await page.waitForFunction("window.bench");
    return await page.evaluate(() => /** @type {any} */ (window).bench.kernels());
  });
  return samples ? { samples } : { notes: ["the library was built without its feature `bench`: no figures of kernels"] };
}
