/** For everybody: axe-core finds nothing serious, the keyboard reaches everything, motion can be turned off. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { CAMERAS, launch, ready, visit } from "./lib/browser.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch(CAMERAS.two);
});
after(() => browser.close());

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * The serious findings on the page as it is now.
 *
 * @param {Page} page
 */
async function findings(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((/** @type {any} */ { impact }) => ["serious", "critical"].includes(impact))
    .map((/** @type {any} */ v) => `${v.id}: ${v.nodes.map((/** @type {any} */ n) => n.target.join(" ")).join(", ")}`);
}

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

describe("axe-core finds nothing serious", () => {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      test(`on a ${size} in the ${colorScheme} theme`, async () => {
        const { page, end } = await visit(browser, { context: { viewport, colorScheme, reducedMotion: "reduce" } });
        await ready(page);
        assert.deepEqual(await findings(page), [], "before anything was done");
        await page.click("#start");
        await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
        await page.click("#freeze");
        for (const summary of await page.$$("summary")) await summary.click();
        assert.deepEqual(await findings(page), [], "with a camera, everything unfolded");
        await page.evaluate(() => /** @type {any} */ (window).changePermission("denied"));
        await page.waitForSelector("#notice:not([hidden])");
        assert.deepEqual(await findings(page), [], "with a notice");
        await end();
      });
    }
  }
});

test("the keyboard alone starts the camera, freezes it, and stops it", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  const reach = async (/** @type {string} */ id) => {
    for (let i = 0; i < 40; i++) {
      if (await page.evaluate((id) => document.activeElement?.id === id, id)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`the Tab key does not reach #${id}`);
  };
  await reach("start");
  const outline = await page.evaluate(() => getComputedStyle(/** @type {Element} */ (document.activeElement)).outlineStyle);
  assert.equal(outline, "solid", "the focus cannot be seen");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#stage[data-state=live]");
  await reach("freeze");
  await page.keyboard.press("Space");
  assert.equal(await page.getAttribute("#freeze", "aria-pressed"), "true");
  await page.keyboard.press("Space");
  await reach("measure");
  await reach("stop");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#stage[data-state=idle]");
  await end();
});

test("nothing moves for those who asked for that", async () => {
  const { page, end } = await visit(browser, { context: { reducedMotion: "reduce" } });
  await ready(page);
  const moving = await page.$$eval("*", (nodes) => nodes.filter((node) => parseFloat(getComputedStyle(node).transitionDuration) > 0).length);
  assert.equal(moving, 0);
  await end();
});

test("every word of the page comes from strings.js", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  const empty = await page.$$eval("[data-text], [data-label]", (nodes) =>
    nodes.filter((node) => !(node.textContent || node.getAttribute("aria-label"))).map((node) => node.outerHTML),
  );
  assert.deepEqual(empty, []);
  await end();
});
