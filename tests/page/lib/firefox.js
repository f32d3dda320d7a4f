/** The page in Firefox, where there is one: the browser of another maker, steered by the standard protocol that it speaks itself. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import puppeteer from "puppeteer-core";
import { CIFAR_PAGE, PAGE, PATIENCE_MS } from "./browser.js";
import { SCRATCH } from "./paths.js";

/** The program: what `LSSPQ_FIREFOX` names, or else the first in PATH. */
const FIREFOX = process.env.LSSPQ_FIREFOX ?? ["firefox-esr", "firefox"].flatMap(inPath)[0];

/** Why the tests that want it are skipped, or false. */
export const WITHOUT_FIREFOX = !FIREFOX && "Firefox is not installed: with `apt-get install firefox-esr` these tests run too";

/** @param {string} name */
function inPath(name) {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).filter((file) => existsSync(file));
}

/** Starts one, with a camera that draws a test picture and is allowed. */
export function launchFirefox() {
  const extraPrefsFirefox = { "media.navigator.streams.fake": true, "media.navigator.permission.disabled": true };
  // Firefox refuses to start where the home folder is another user's, as in some containers.
  const env = { ...process.env, HOME: SCRATCH };
  const patience = { timeout: PATIENCE_MS, protocolTimeout: PATIENCE_MS };
  return puppeteer.launch({ browser: "firefox", executablePath: FIREFOX, headless: true, env, ...patience, extraPrefsFirefox });
}

/**
 * A visitor opens the page.
 *
 * @param {import("puppeteer-core").Browser} browser
 * @returns {Promise<{ page: import("puppeteer-core").Page, end: () => Promise<void> }>} `end` closes the page, and fails if
 *   it asked another origin for anything or complained
 */
export async function visitInFirefox(browser) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  /** @type {string[]} */
  const complaints = [];
  /** @type {string[]} */
  const strangers = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!["blob:", "data:"].includes(protocol) && origin !== new URL(PAGE).origin) strangers.push(request.url());
  });
  await page.goto(CIFAR_PAGE);
  await page.waitForSelector("body[data-state=ready]");
  const end = async () => {
    await page.close();
    assert.deepEqual(strangers, [], "requests to another origin");
    assert.deepEqual(complaints, [], "complaints in the console");
  };
  return { page, end };
}
