/** Memory stays flat while frames go by: twenty seconds of them always, five minutes where LSSPQ_LONG is set. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CAMERAS, launch, ready, visit } from "./lib/browser.js";

const SECONDS = process.env.LSSPQ_LONG ? 300 : 20;

/** How much more the page's own heap and the whole of WebAssembly's memory may hold at the end than after warming up, in bytes. */
const SLACK = 4 * 2 ** 20;

test(`${SECONDS} s of frames leave memory as it was`, async (context) => {
  const browser = await launch(CAMERAS.two);
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#start");
  await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
  const session = await page.context().newCDPSession(page);
  const held = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
    return { usedSize, nodes, jsEventListeners };
  };
  await page.waitForTimeout(4000);
  const before = await held();
  await page.waitForTimeout(1000 * (SECONDS - 4));
  const after = await held();
  context.diagnostic(`${JSON.stringify(before)} before, ${JSON.stringify(after)} after`);
  assert.ok(after.usedSize - before.usedSize < SLACK, `the heap grew by ${after.usedSize - before.usedSize} bytes`);
  assert.ok(after.nodes - before.nodes < 200, `${after.nodes - before.nodes} more nodes`);
  assert.ok(after.jsEventListeners - before.jsEventListeners < 50, `${after.jsEventListeners - before.jsEventListeners} more listeners`);
  await end();
  await browser.close();
});
