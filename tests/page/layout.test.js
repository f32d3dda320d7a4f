/** The page fits the window, and every control has a name. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { CAMERAS, launch, ready, visit } from "./lib/browser.js";
import { withoutCard } from "./lib/onnx.js";
import { MODEL } from "./lib/paths.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch(CAMERAS.two);
});
after(() => browser.close());

for (const width of [320, 390, 768, 1280, 1920]) {
  test(`nothing sticks out at ${width} pixels`, async () => {
    const { page, end } = await visit(browser, { context: { viewport: { width, height: 800 } } });
    await ready(page);
    const overhang = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(await overhang(), 0, "before anything was done");
    await page.click("#start");
    await page.waitForSelector("#stage[data-state=live]");
    await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
    assert.equal(await overhang(), 0, "with the camera");
    await page.click("#sample-list button >> nth=1");
    await page.waitForSelector("#stage[data-state=still]");
    for (const summary of await page.$$("summary")) await summary.click();
    assert.equal(await overhang(), 0, "with a picture and everything unfolded");
    // The longest word in the labels of the shipped models; one that is broken has a rectangle for each of its lines.
    const lines = await page.$eval("#top-label", (label) => {
      label.textContent = "confectionery";
      const range = document.createRange();
      range.selectNodeContents(label);
      return range.getClientRects().length;
    });
    assert.equal(lines, 1, "the label is broken within its word");
    await end();
  });
}

test("nothing sticks out on a phone with a plain classifier", async () => {
  const { page, end } = await visit(browser, { context: { viewport: { width: 390, height: 844 } } });
  await ready(page);
  const buffer = withoutCard(readFileSync(MODEL));
  await page.setInputFiles("#model-file", { name: "plain.onnx", mimeType: "application/octet-stream", buffer });
  await page.waitForSelector("#plain:not([hidden])");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  await end();
});

test("on a phone the label is in sight together with the picture", async () => {
  const { page, end } = await visit(browser, { context: { viewport: { width: 390, height: 844 } } });
  await ready(page);
  await page.click("#start");
  await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
  const bottom = await page.$eval("#top-label", (label) => label.getBoundingClientRect().bottom + scrollY);
  assert.ok(bottom < 844, `the label ends at ${bottom} pixels`);
  await end();
});

test("the square that is drawn is the square that the network sees", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#start");
  await page.waitForSelector("#stage[data-state=live]");
  const boxes = await page.evaluate(() => ["#frame", ".square"].map((s) => document.querySelector(s)?.getBoundingClientRect().toJSON()));
  const [frame, square] = boxes;
  const near = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) < 1;
  assert.ok(near(square.width, Math.min(frame.width, frame.height)), JSON.stringify(boxes));
  assert.ok(near(square.width, square.height), JSON.stringify(boxes));
  assert.ok(near(square.x + square.width / 2, frame.x + frame.width / 2), JSON.stringify(boxes));
  assert.ok(near(frame.width / frame.height, 4 / 3) || near(frame.width / frame.height, 16 / 9), JSON.stringify(boxes));
  await end();
});

test("every control has a name, and the keyboard reaches the camera", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  const nameless = await page.$$eval("button, select, input, video, progress", (controls) =>
    controls
      .filter((c) => !/** @type {HTMLElement} */ (c).hidden)
      .filter((c) => {
        const labels = "labels" in c ? /** @type {HTMLInputElement} */ (c).labels : null;
        return !(c.getAttribute("aria-label") || c.textContent?.trim() || labels?.length);
      })
      .map((c) => c.outerHTML),
  );
  assert.deepEqual(nameless, []);
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.id === "start")) break;
  }
  await page.keyboard.press("Enter");
  await page.waitForSelector("#stage[data-state=live]");
  await end();
});
