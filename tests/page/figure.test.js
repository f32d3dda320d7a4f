/** The comparison with published networks, and the loaded model's place in it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { PAGE, launch, ready, visit } from "./lib/browser.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const data = JSON.parse(readFileSync(new URL("../../www/figure/published.json", import.meta.url), "utf8"));
const [imagenet, cifar10] = data.sets;

test("the model stands among networks of its own data set, and among no others", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.waitForSelector("#comparison:not([hidden]) svg");
  const count = (/** @type {string} */ selector) => page.locator(`#comparison ${selector}`).count();
  assert.equal(await page.inputValue("#comparison select"), "CIFAR-10");
  assert.equal(await count("circle.other"), cifar10.networks.length);
  assert.deepEqual([await count("circle.own"), await count("rect.own"), await count("tr.own")], [1, 1, 1]);
  const tile = (/** @type {string} */ key) => page.textContent(`[data-figure=${key}] .tile-value`);
  const own = (await page.locator("#comparison tr.own").textContent()) ?? "";
  const top1 = ((await tile("accuracy")) ?? "").replace(" %", "");
  assert.ok(own.includes(top1) && own.includes((await tile("density")) ?? "?"), own);

  await page.selectOption("#comparison select", "ImageNet");
  assert.equal(await count("circle.other"), imagenet.networks.length);
  assert.deepEqual([await count("circle.own"), await count("rect.own"), await count("tr.own")], [0, 0, 0]);
  assert.match((await page.textContent(".comparison-note")) ?? "", /does not compare/);
  await end();
});

test("the table says all that the drawings say", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.waitForSelector("#comparison:not([hidden]) svg");
  await page.selectOption("#comparison select", "ImageNet");
  const rows = await page.$$eval("#comparison tbody tr", (lines) => lines.map((line) => [...line.children].map((c) => c.textContent ?? "")));
  const row = (/** @type {string} */ name) => rows.find((cells) => cells[0] === name);
  assert.deepEqual(row("ResNet50")?.slice(1, 6), ["32-bit", "76.35", "97.5", "-0.106", "97.49"]);
  assert.equal(row("EfficientNet-Lite0 int8")?.[5], "–");
  assert.ok(rows.every((cells) => cells[6].length > 10), "a row without a source");
  for (const svg of await page.$$("#comparison svg")) assert.match((await svg.getAttribute("aria-label")) ?? "", /ImageNet/);
  await end();
});

for (const [width, colorScheme] of /** @type {const} */ ([[320, "dark"], [390, "light"], [1280, "dark"]])) {
  test(`the drawings fit ${width} pixels and are read in a ${colorScheme} scheme`, async () => {
    const { page, end } = await visit(browser, { context: { viewport: { width, height: 800 }, colorScheme } });
    await ready(page);
    await page.waitForSelector("#comparison:not([hidden]) svg");
    await page.click("#comparison summary");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
    // A name of a spot lies inside its drawing.
    const inside = await page.$$eval("#comparison svg text", (texts) =>
      texts.every((text) => {
        const [box, frame] = [text.getBoundingClientRect(), text.closest("svg")?.getBoundingClientRect() ?? new DOMRect()];
        return box.left >= frame.left - 1 && box.right <= frame.right + 1;
      }),
    );
    assert.ok(inside, "a name sticks out");
    const fill = await page.$eval("#comparison text.other", (text) => getComputedStyle(text).fill);
    const [light] = (fill.match(/\d+/) ?? ["0"]).map(Number);
    assert.ok(colorScheme === "dark" ? light > 128 : light < 128, fill);
    await end();
  });
}

test("without its data the page works, and has no empty section", async () => {
  const before = (/** @type {import("playwright-core").Page} */ page) =>
    page.route(new URL("figure/published.json", PAGE).href, (route) => route.fulfill({ status: 404 }));
  const { page, end } = await visit(browser, { before, mayComplain: /Failed to load resource/ });
  await ready(page);
  assert.ok(await page.isHidden("#comparison"));
  await end();
});
