/** A headless Chromium of its own for every measurement that must not know an earlier one. */

import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const PATIENCE_MS = 300_000;

/** No flag changes how V8 compiles: what is measured is what visitors have. The last makes heap sizes exact. */
export const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-precise-memory-info",
];

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Browser} Browser */

/**
 * Starts a browser with an empty profile, does something on a fresh page, and ends it. What goes wrong on the page
 * goes wrong here.
 *
 * @template T
 * @param {(page: Page, browser: Browser) => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withPage(action) {
  const executablePath = process.env.LSSPQ_CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, timeout: PATIENCE_MS, chromiumSandbox: false, args: FLAGS });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    /** @type {Promise<never>} */
    const broken = new Promise((_, reject) => page.on("pageerror", reject));
    page.on("console", (message) => {
      if (message.type() === "error") console.error(`page: ${message.text()}`);
    });
    return await Promise.race([action(page, browser), broken]);
  } finally {
    await browser.close();
  }
}

/**
 * The renderer that shows the page: of all renderers, the one that has used most processor time.
 *
 * @param {Browser} browser
 * @returns {Promise<number>} its process id
 */
export async function renderer(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer").sort((a, b) => b.cpuTime - a.cpuTime);
  if (!renderers.length) throw new Error("the browser names no renderer");
  return renderers[0].id;
}

/**
 * A line of /proc/PID/status in MiB: `VmRSS` is the memory resident now, `VmHWM` the most that ever was.
 *
 * @param {number} process
 * @param {"VmRSS" | "VmHWM"} field
 */
export function residentMib(process, field) {
  const kib = readFileSync(`/proc/${process}/status`, "utf8").match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))?.[1];
  return Number(kib) / 1024;
}
