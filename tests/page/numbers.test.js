/** The numbers of a network, shown; and measured on this device. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CAMERAS, launch, ready, visit } from "./lib/browser.js";
import { samples } from "./lib/pictures.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch(CAMERAS.two);
});
after(() => browser.close());

/** The rows of the view layer by layer, without its head. @param {import("playwright-core").Page} page */
const rowsOf = (page) => page.$$eval("#layers tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? "")));

const numberIn = (/** @type {string | null} */ text) => Number((text ?? "").replace(/[^\d.]/g, ""));

test("the layers add up to the figures of the panel", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#layers-box summary");
  const rows = await rowsOf(page);
  const [bytes, work] = rows[rows.length - 1].slice(5, 7).map(numberIn);
  assert.equal(rows.slice(0, -1).reduce((sum, row) => sum + numberIn(row[6]), 0), work);
  assert.match((await page.textContent("[data-figure=size] .tile-note")) ?? "", new RegExp(`${bytes.toLocaleString("en")} of them weights`));
  assert.equal(numberIn(await page.textContent("[data-figure=work] .tile-value")), Number((work / 1e6).toFixed(1)));
  await end();
});

test("the time of every layer is measured when it is asked for, by the keyboard too, and what was measured is said", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#start");
  await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
  await page.click("#layers-box summary");
  const before = await rowsOf(page);
  assert.ok(before.every((row) => row.length === 8), "times are shown before they were measured");
  await page.focus("#measure-layers");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#measure[aria-disabled=true]");
  await page.waitForFunction(() => document.querySelector("#layers-note")?.textContent !== "");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "measure-layers", "the keyboard lost its place");
  assert.equal(await page.textContent("#measure-layers"), "Measure the time of each layer");
  const heads = await page.$$eval("#layers-head th", (cells) => cells.map((cell) => cell.textContent));
  assert.deepEqual(heads.slice(-2), ["Time, ms", "Share"]);
  const rows = await rowsOf(page);
  const all = rows.pop() ?? [];
  // Whatever multiplies is timed; a shift is part of the layer behind it.
  for (const row of rows) assert.ok(row[1] === "shift" ? row[8] === "–" : numberIn(row[8]) >= 0 && /^\d/.test(row[8]), row.join(" | "));
  assert.ok(rows.some((row) => row[1] === "pooling" && /^\d/.test(row[8])), "steps that are no layers are missing");
  const sum = (/** @type {number} */ column) => rows.reduce((total, row) => total + numberIn(row[column]), 0);
  // Rounded to a thousandth and a tenth, thirty times at most.
  assert.ok(numberIn(all[8]) > 0 && Math.abs(sum(8) - numberIn(all[8])) < 0.02, `${sum(8)} and ${all[8]}`);
  assert.ok(Math.abs(sum(9) - 100) < 2, `${sum(9)} % in all`);
  const note = (await page.textContent("#layers-note")) ?? "";
  for (const said of [/on this device/, /of 200 runs/, /the network takes [\d.]+ ms without/, /in steps of [\d.e-]+ ms/]) assert.match(note, said);
  // The camera goes on afterwards.
  await page.waitForFunction(() => /^\d/.test(document.querySelector("#rate")?.textContent ?? ""));
  await end();
});

test("of a network that runs partly in float no times are offered, and why is said", async () => {
  // A library that left the stem to float.
  const partly = (/** @type {import("playwright-core").Page} */ page) =>
    page.route("**/pkg/lsspq.js", async (route) => {
      const answer = await route.fetch();
      const body = `${await answer.text()}
        const plan = Classifier.prototype.plan;
        Classifier.prototype.plan = function () { return plan.call(this).map((step) => step.name === "stem" ? { ...step, kernel: null, reason: "a test" } : step); };`;
      await route.fulfill({ response: answer, body });
    });
  const { page, end } = await visit(browser, { before: partly });
  await ready(page);
  await page.click("#layers-box summary");
  assert.ok(await page.isHidden("#measure-layers"));
  assert.match((await page.textContent("#layers-note")) ?? "", /only where all of a network runs in whole numbers/);
  const [stem, reduce] = await rowsOf(page);
  assert.deepEqual([stem[0], stem[7]], ["stem", "float"]);
  assert.notEqual(reduce[7], "float");
  await end();
});

test("every block's shifts are drawn and described", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#shifts-box summary");
  const blocks = await page.$$eval("#layers tr td:nth-child(2)", (cells) => cells.filter((c) => c.textContent === "shift").length);
  const drawn = await page.$$eval("#shifts [role=img]", (grids) => grids.map((grid) => grid.getAttribute("aria-label") ?? ""));
  assert.equal(drawn.length, blocks);
  assert.ok(drawn.every((words) => /^Block \d+: \d+ of \d+ channels stay in place/.test(words)), drawn[0]);
  await end();
});

test("a benchmark says median and 95 %, and its copy names browser and device", async () => {
  const { page, end } = await visit(browser, { context: { permissions: ["clipboard-read", "clipboard-write"] } });
  await ready(page);
  await page.click("#measure");
  await page.waitForSelector("#copy-measure:visible");
  assert.match((await page.textContent("#measure-result")) ?? "", /^[\d.]+ ms a picture of 640 × 480 pixels, .* of 100 runs within/);
  await page.click("#copy-measure");
  await page.waitForFunction(() => document.querySelector("#copy-measure")?.textContent === "Copied");
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(copied.runs, 100);
  assert.equal(copied.model.name, "CIFAR-10");
  assert.match(copied.model.sha256, /^[0-9a-f]{64}$/);
  assert.ok(copied.milliseconds.total.median <= copied.milliseconds.total.p95);
  assert.match(copied.browser, /Chrome/);
  assert.ok(copied.device.cores > 0);
  await end();
});

test("the last frames are drawn and told in words", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#start");
  await page.waitForFunction(() => /^The last \d+ frames: half within [\d.]+ ms/.test(document.querySelector("#chart-caption")?.textContent ?? ""));
  const drawn = await page.$eval("#chart", (chart) => {
    const canvas = /** @type {HTMLCanvasElement} */ (chart);
    return canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
  });
  assert.ok(drawn, "the chart is empty");
  await end();
});

test("smoothing and the number of classes are chosen and remembered", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.selectOption("#top-count", "3");
  await page.selectOption("#smoothing", "off");
  await page.setInputFiles("#picture-file", samples()[0]);
  await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
  assert.equal(await page.$$eval("#bars li", (rows) => rows.length), 3);
  await page.reload();
  await ready(page);
  assert.deepEqual([await page.inputValue("#top-count"), await page.inputValue("#smoothing")], ["3", "off"]);
  await end();
});

test("an answer below the threshold is called not sure, in words", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  assert.match((await page.textContent("#answer-note")) ?? "", /Below 50 % it is called not sure \(a default/);
  for (const file of samples()) {
    const before = await page.textContent("#announcer");
    await page.setInputFiles("#picture-file", file);
    await page.waitForFunction((before) => document.querySelector("#announcer")?.textContent !== before, before);
    const sure = numberIn(await page.textContent("#top-probability")) >= 50;
    assert.equal(await page.textContent("#doubt"), sure ? "" : "Not sure, perhaps");
    assert.equal(/^not sure/.test((await page.textContent("#announcer")) ?? ""), !sure);
  }
  await end();
});
