/** Kernels, by a build of the library that lets them be called alone. */

import { withPage } from "./browser.js";

/** What the parts of the address are called that lead to the two builds, and what they are called in the table. */
const BUILDS = { kernels: "", relaxed: "relaxed SIMD, " };

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function kernels({ site }) {
  /** @type {import("../bench.js").Sample[]} */
  const samples = [];
  for (const [folder, prefix] of Object.entries(BUILDS)) {
    const found = await withPage(async (page) => {
      await page.goto(`${site.address}page/index.html?library=${folder}`);
      await page.waitForFunction("window.bench");
      return await page.evaluate(() => /** @type {any} */ (window).bench.kernels());
    });
    if (!found) return { notes: ["the library was built without its feature `bench`: no figures of kernels"] };
    for (const sample of found) samples.push({ ...sample, engine: sample.engine.replace("lsspq, ", `lsspq, ${prefix}`) });
  }
  return { samples };
}
