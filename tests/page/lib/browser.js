/** The page in a headless Chromium of its own, watched for everything that it should not do. */

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** The address of the page; `cargo xtask test --only page` serves it and says where. */
export const PAGE = process.env.LSSPQ_PAGE ?? "http://127.0.0.1:8000/";

/** The page with the model of `MODEL`, which tests hold against the native library. */
export const CIFAR_PAGE = new URL("?model=cifar10.onnx", PAGE).href;

/** How long anything may take before a test fails, in milliseconds: a busy machine starts a browser in half a minute. */
export const PATIENCE_MS = 120_000;

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What the camera does, as flags of the browser. */
export const CAMERAS = {
  /** @param {string} file an .mjpeg that it plays for ever */
  playing: (file) => ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${file}`],
  none: ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=0"],
  two: ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=2"],
  refused: ["--use-fake-device-for-media-stream", "--deny-permission-prompts"],
};

/**
 * @param {string[]} [camera] one of CAMERAS
 */
export function launch(camera = CAMERAS.none) {
  const executablePath = process.env.LSSPQ_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, timeout: PATIENCE_MS, chromiumSandbox: false, args: [...FLAGS, ...camera] });
}

/**
 * @typedef {object} Visit
 * @property {import("playwright-core").Page} page
 * @property {string[]} complaints what the console said above the level of information
 * @property {() => Promise<void>} end closes the page, and fails if it asked another origin for anything or complained
 */

/**
 * A fresh visitor opens the page.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {{ context?: import("playwright-core").BrowserContextOptions, before?: (page: import("playwright-core").Page) => Promise<unknown>, mayComplain?: RegExp, knowsPage?: boolean, ownPermission?: boolean, offline?: boolean, address?: string }} [options]
 *   `before` prepares the page before it is loaded; `mayComplain` is what the browser itself logs in this test;
 *   `knowsPage` is a visitor who allowed the camera on an earlier visit; `ownPermission` leaves it to the browser whether
 *   the camera is allowed; `offline` lets the page install its service
 *   worker, whose requests no route of a test sees; `address` is that of another model, page or site
 * @returns {Promise<Visit>}
 */
export async function visit(browser, { context: options, before, mayComplain, knowsPage = false, ownPermission = false, offline = false, address = CIFAR_PAGE } = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  /** @type {string[]} */
  const strangers = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !mayComplain?.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  // Of the context: the worker's requests too.
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!["blob:", "data:"].includes(protocol) && origin !== new URL(address).origin) strangers.push(request.url());
  });
  if (!ownPermission) await page.addInitScript((state) => {
    // The flag that answers the browser's question also answers it for ever; most visitors are new.
    const status = Object.assign(new EventTarget(), { state });
    Permissions.prototype.query = async () => /** @type {PermissionStatus} */ (/** @type {unknown} */ (status));
    // For tests in which the visitor changes it in the browser's settings.
    Object.assign(window, { changePermission: (/** @type {string} */ to) => (Object.assign(status, { state: to }), status.dispatchEvent(new Event("change"))) });
  }, knowsPage ? "granted" : "prompt");
  if (!offline) await page.addInitScript(() => Object.defineProperty(navigator, "serviceWorker", { value: undefined }));
  await before?.(page);
  await page.goto(address);
  const end = async () => {
    await context.close();
    assert.deepEqual(strangers, [], "requests to another origin");
    assert.deepEqual(complaints, [], "complaints in the console");
  };
  return { page, complaints, end };
}

/**
 * Waits until the model answers.
 *
 * @param {import("playwright-core").Page} page
 */
export const ready = (page) => page.waitForSelector("body[data-state=ready]");

/**
 * Waits until the page names this class with about this probability.
 *
 * @param {import("playwright-core").Page} page
 * @param {{ label: string, probability: number }} expected
 * @param {number} [within] how far the probability may be off: farther where a film has lost some of the picture
 */
export async function sees(page, expected, within = 0.1) {
  const seen = () =>
    page.evaluate(() => [document.querySelector("#top-label")?.textContent, document.querySelector("#top-probability")?.textContent]);
  await page
    .waitForFunction(
      ({ label, probability, within }) =>
        document.querySelector("#top-label")?.textContent === label &&
        Math.abs(parseFloat(document.querySelector("#top-probability")?.textContent ?? "") / 100 - probability) <= within,
      { ...expected, within },
    )
    .catch(async () => assert.fail(`the page sees ${(await seen()).join(" ")}, the native library ${JSON.stringify(expected)}`));
}

/**
 * The words of the notice, once there are any.
 *
 * @param {import("playwright-core").Page} page
 */
export async function noticeOf(page) {
  await page.waitForSelector("#notice:not([hidden])");
  return (await page.textContent("#notice-words")) ?? "";
}
