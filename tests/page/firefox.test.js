/** The page in Firefox: the same answers as everywhere, from a picture and from a camera. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { WITHOUT_FIREFOX, launchFirefox, visitInFirefox } from "./lib/firefox.js";
import { classifyNatively } from "./lib/native.js";
import { LABELS } from "./lib/onnx.js";
import { samples } from "./lib/pictures.js";

describe("in Firefox", { skip: WITHOUT_FIREFOX }, () => {
  /** @type {import("puppeteer-core").Browser} */
  let browser;
  before(async () => {
    browser = await launchFirefox();
  });
  after(() => browser?.close());

  test("every sample photograph gets the native library's label", async () => {
    const { page, end } = await visitInFirefox(browser);
    const input = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (await page.$("#picture-file"));
    for (const { file, predictions } of classifyNatively(samples())) {
      await input.uploadFile(file);
      // Two decoders of JPEG differ in the last bits.
      await page
        .waitForFunction(
          ({ label, probability }) =>
            document.querySelector("#top-label")?.textContent === label &&
            Math.abs(parseFloat(document.querySelector("#top-probability")?.textContent ?? "") / 100 - probability) <= 0.1,
          {},
          predictions[0],
        )
        .catch(async () => assert.fail(`${file}: ${await page.$eval("#top-label", (l) => l.textContent)} instead of ${predictions[0].label}`));
    }
    await end();
  });

  test("the camera is classified frame by frame, and layers are timed", async () => {
    const { page, end } = await visitInFirefox(browser);
    await page.click("#start");
    await page.waitForFunction(() => /^\d/.test(document.querySelector("#rate")?.textContent ?? ""));
    assert.ok(LABELS.includes(await page.$eval("#top-label", (label) => label.textContent ?? "")));
    await page.click("#layers-box summary");
    await page.click("#measure-layers");
    await page.waitForFunction(() => /the network takes [\d.]+ ms/.test(document.querySelector("#layers-note")?.textContent ?? ""));
    await page.click("#stop");
    await page.waitForSelector("#stage[data-state=idle]");
    await end();
  });
});
