/** From the navigation to the first prediction, with nothing cached: every visit in a browser of its own. */

import { withPage } from "./browser.js";
import { ours, theirs } from "./candidates.js";

/** A slow line: bytes a second both ways, and milliseconds of delay. Answers are then compressed. */
const LINE = { bytesPerSecond: 20e6 / 8, delayMs: 20 };

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function first({ plan, site }) {
  /** @type {import("../bench.js").Sample[]} */
  const samples = [];
  for (const network of plan.networks) {
    for (const line of [null, LINE]) {
      site.compress(line !== null);
      const candidates = [ours(network), theirs(network)];
      const values = candidates.map(() => /** @type {number[]} */ ([]));
      // What the server compresses, it compresses once: the first visits are not counted.
      for (let visit = -1; visit < plan.visits; visit++) {
        for (const [i, candidate] of candidates.entries()) {
          const milliseconds = await visitOnce(site.address, candidate, line);
          if (visit >= 0) values[i].push(milliseconds);
        }
      }
      const metric = line ? `first prediction at ${(8 * line.bytesPerSecond) / 1e6} Mbit/s, brotli` : "first prediction, local server";
      candidates.forEach(({ label }, i) => samples.push({ network: network.name, engine: label, metric, unit: "ms", values: values[i] }));
    }
  }
  site.compress(false);
  return { samples };
}

/**
 * @param {string} address
 * @param {import("./candidates.js").Rival} candidate
 * @param {typeof LINE | null} line
 * @returns {Promise<number>} milliseconds
 */
function visitOnce(address, { engine, network, url, side }, line) {
  return withPage(async (page) => {
    if (line) {
      const session = await page.context().newCDPSession(page);
      await session.send("Network.enable");
      const { bytesPerSecond, delayMs } = line;
      const throughput = { downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond };
      await session.send("Network.emulateNetworkConditions", { offline: false, latency: delayMs, ...throughput });
    }
    await page.goto(`${address}page/first.html?${new URLSearchParams({ engine, network, url, side: String(side) })}`);
    await page.waitForFunction("window.firstPrediction", undefined, { polling: 20 });
    return Number(await page.evaluate("window.firstPrediction"));
  });
}
