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
        await page.click("#measure-layers");
        await page.waitForFunction(() => document.querySelector("#layers-note")?.textContent !== "");
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

test("the keyboard reaches every control, in the order of the page, and the focus is always to be seen", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#start");
  await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
  for (const summary of await page.$$("summary")) await summary.click();
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  const controls = await page.$$eval("button, select, summary, a[href], [tabindex='0']", (nodes) => {
    const visible = nodes.filter((node) => /** @type {HTMLElement} */ (node).checkVisibility() && !node.matches(":disabled"));
    visible.forEach((node, i) => node.setAttribute("data-place", String(i)));
    return visible.map((node) => node.id || node.textContent?.trim() || node.tagName);
  });
  assert.ok(controls.length > 20, `${controls.length} controls`);
  /** @type {number[]} */
  const reached = [];
  await page.evaluate(() => (document.body.tabIndex = -1, document.body.focus()));
  for (let i = 0; i < 2 * controls.length && reached.length < controls.length; i++) {
    await page.keyboard.press("Tab");
    const [place, outline] = await page.evaluate(() => {
      const at = /** @type {HTMLElement} */ (document.activeElement);
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      return [at.dataset.place, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
    });
    if (place === undefined || reached.includes(Number(place))) continue;
    reached.push(Number(place));
    assert.ok(outline, `the focus on ${controls[Number(place)]} cannot be seen`);
  }
  assert.deepEqual(reached.map((place) => controls[place]), controls);
  await end();
});

test("what is seen is told to screen readers when it stays, and not at every change", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  const said = await page.evaluate(async () => {
    const { Announcer } = await import(new URL("client/announcer.js", document.baseURI).href);
    const [announcer, region] = [new Announcer(), document.querySelector("#announcer")];
    /** @type {[number, string][]} */
    const said = [];
    const hear = (/** @type {number} */ now, /** @type {string} */ label) => {
      const before = region?.textContent;
      announcer.hear({ index: 0, label, probability: 0.9 }, false, now, false);
      if (region?.textContent !== before) said.push([now, region?.textContent ?? ""]);
    };
    // A cat that stays; then two that take turns ten times a second; then a dog that stays.
    for (let t = 0; t < 10_000; t += 100) hear(t, "cat");
    for (let t = 10_000; t < 20_000; t += 100) hear(t, t % 200 ? "dog" : "bird");
    for (let t = 20_000; t < 30_000; t += 100) hear(t, "dog");
    // And one that changes every second: every third may be said.
    for (let t = 30_000; t < 60_000; t += 100) hear(t, `thing ${Math.floor(t / 1000)}`);
    return said;
  });
  assert.deepEqual(said.slice(0, 2), [[800, "cat, 90 percent"], [20_700, "dog, 90 percent"]]);
  const times = said.map(([time]) => time);
  assert.ok(said.length > 5 && times.every((time, i) => i === 0 || time - times[i - 1] >= 3000), times.join(" "));
  await end();
});

test("every word of the page comes from strings.js", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  const empty = await page.$$eval("[data-text], [data-label]", (nodes) =>
    nodes.filter((node) => !(node.textContent || node.getAttribute("aria-label"))).map((node) => node.outerHTML),
  );
  assert.deepEqual(empty, []);
  // And index.html has none of its own, but for its title and what is said where no script runs.
  const own = await page.evaluate(async () => {
    const document_ = new DOMParser().parseFromString(await (await fetch("index.html")).text(), "text/html");
    for (const node of document_.querySelectorAll("title, noscript, script")) node.remove();
    const spoken = ["aria-label", "alt", "title", "placeholder"].flatMap((name) =>
      [...document_.querySelectorAll(`[${name}]`)].map((node) => node.getAttribute(name) ?? ""),
    );
    return [document_.documentElement.textContent ?? "", ...spoken].join(" ").match(/\p{L}{2,}/gu);
  });
  assert.equal(own, null);
  await end();
});
