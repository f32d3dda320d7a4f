/**
 * How long a visitor waits: from the address to a model that answers, for a first visit and for one that comes again.
 *
 *     cargo xtask page coldstart
 */

import { percentile } from "../../www/shared/stats.js";
import { launch, ready, visit } from "./lib/browser.js";
import { publishedSite } from "./lib/site.js";

const VISITS = 7;

/** Milliseconds from the beginning of the navigation to now, by the page's own clock. */
const waited = async (/** @type {import("playwright-core").Page} */ page) => {
  await ready(page);
  return page.evaluate(() => performance.now());
};

const site = await publishedSite();
/** @type {Record<string, number[]>} */
const times = { first: [], again: [], offline: [] };
for (let i = 0; i < VISITS; i++) {
  // A browser of its own: nothing is compiled or kept yet.
  const browser = await launch();
  const { page } = await visit(browser, { offline: true, address: site.address });
  times.first.push(await waited(page));
  await page.waitForSelector("body[data-offline=ready]");
  await page.reload();
  times.again.push(await waited(page));
  await page.context().setOffline(true);
  await page.reload();
  times.offline.push(await waited(page));
  await browser.close();
}
await site.stop();
for (const [kind, values] of Object.entries(times)) {
  console.log(`${kind}: median ${percentile(values, 0.5).toFixed(0)} ms of ${VISITS} visits, slowest ${Math.max(...values).toFixed(0)} ms`);
}
