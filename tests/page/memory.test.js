/** Memory stays flat while frames go by: twenty seconds of them always, five minutes in `cargo xtask page long`. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CAMERAS, PAGE, launch, ready, visit } from "./lib/browser.js";

const SECONDS = process.env.LSSPQ_LONG ? 300 : 20;

/** How long the page warms up before its memory is looked at, in seconds. */
const WARM_UP = process.env.LSSPQ_LONG ? 60 : 4;

/** Times at which memory is looked at, the first after warming up and the last at the end. */
const LOOKS = process.env.LSSPQ_LONG ? 9 : 2;

const MIB = 2 ** 20;

/** How much more may be held at the end than after warming up, in bytes or in pieces. */
const SLACK = {
  /** The page's own heap. */
  heap: 4 * MIB,
  /** Heaps of page and worker together. */
  all: 8 * MIB,
  /** WebAssembly's memory never shrinks: it must not grow at all. */
  wasm: 0,
  /**
   * What the process has for itself: a frame that is never let go costs 1.2 MiB. What is shared does not count: whatever
   * draws a camera onto a canvas, Chromium keeps each frame there until some hundred MiB are full.
   */
  own: 128 * MIB,
  nodes: 200,
  listeners: 50,
};

/** Lets the browser count at once instead of at its next convenience. */
const COUNT_NOW = "--enable-blink-features=ForceEagerMeasureMemory";

/**
 * Bytes that the process has in memory for itself; 0 where the system is no Linux.
 *
 * @param {number} process
 */
function own(process) {
  try {
    const [, kib] = readFileSync(`/proc/${process}/status`, "utf8").match(/^RssAnon:\s+(\d+) kB/m) ?? [];
    return 1024 * Number(kib);
  } catch {
    return 0;
  }
}

test(`${SECONDS} s of frames leave memory as it was`, async (context) => {
  const browser = await launch([...CAMERAS.two, COUNT_NOW]);
  context.after(() => browser.close());
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#start");
  await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
  const session = await page.context().newCDPSession(page);
  const [worker] = page.workers();
  const { processInfo } = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
  // The one that works is the page's; others wait for pages to come.
  const { id } = processInfo.filter(({ type }) => type === "renderer").reduce((a, b) => (a.cpuTime > b.cpuTime ? a : b));
  /** @returns {Promise<typeof SLACK>} */
  const held = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize: heap } = await session.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners: listeners } = await session.send("Memory.getDOMCounters");
    const { bytes: all } = await page.evaluate(() => /** @type {any} */ (performance).measureUserAgentSpecificMemory());
    const wasm = await worker.evaluate(async (address) => {
      // The module that runs: it is started once, and then gives what it gave the first time.
      const { memory } = await (await import(address)).default();
      return memory.buffer.byteLength;
    }, new URL("pkg/lsspq.js", PAGE).href);
    return { heap, all, wasm, own: own(id), nodes, listeners };
  };
  const frames = () => page.evaluate(() => /** @type {HTMLVideoElement} */ (document.querySelector("#video")).getVideoPlaybackQuality().totalVideoFrames);
  await page.waitForTimeout(1000 * WARM_UP);
  const first = await frames();
  const looks = [await held()];
  while (looks.length < LOOKS) {
    await page.waitForTimeout((1000 * (SECONDS - WARM_UP)) / (LOOKS - 1));
    looks.push(await held());
  }
  const last = await frames();
  context.diagnostic(`${last - first} frames; ${looks.map((look) => JSON.stringify(look)).join(" ")}`);
  const [before, after] = [looks[0], looks[looks.length - 1]];
  assert.ok(last - first > SECONDS - WARM_UP, `only ${last - first} frames went by`);
  assert.ok(before.wasm > MIB && before.all > MIB, "the counts are no counts");
  for (const what of /** @type {(keyof typeof SLACK)[]} */ (Object.keys(SLACK))) {
    const more = after[what] - before[what];
    assert.ok(more <= SLACK[what], `${what} grew by ${more}, from ${before[what]}`);
  }
  await end();
});
