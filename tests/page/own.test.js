/** The visitor's own models: opened, named, remembered, left again. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, noticeOf, ready, sees, visit } from "./lib/browser.js";
import { classifyNatively } from "./lib/native.js";
import { LABELS, withMetadata, withoutCard } from "./lib/onnx.js";
import { MODEL, PUBLISHED } from "./lib/paths.js";
import { samples } from "./lib/pictures.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const [file] = samples();
const [{ predictions }] = classifyNatively([file]);
const bytes = readFileSync(MODEL);
const plain = withoutCard(bytes);
const named = LABELS.map((label) => `my ${label}`);

/**
 * Drops files onto the page together.
 *
 * @param {Page} page
 * @param {{ name: string, buffer: Buffer }[]} files
 */
function drop(page, files) {
  return page.evaluate((files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }, files.map(({ name, buffer }) => ({ name, base64: buffer.toString("base64") })));
}

/** @param {Page} page @param {string} name */
const answers = (page, name) =>
  page.waitForFunction((name) => {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector("#model"));
    return select.selectedOptions[0]?.text === name && document.querySelector("#loading")?.hasAttribute("hidden");
  }, name);

test("a dropped model is remembered, and one click goes back to the published one", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  await drop(page, [{ name: "mine.onnx", buffer: bytes }]);
  await answers(page, "mine.onnx");
  await sees(page, predictions[0]);
  assert.match((await page.textContent("#panel-summary")) ?? "", /CIFAR-10/);
  await page.reload();
  await ready(page);
  await answers(page, "mine.onnx");
  assert.equal(await page.textContent("#back"), "Back to CIFAR-10");
  await page.click("#back");
  await answers(page, "CIFAR-10");
  assert.ok(await page.isHidden("#back"));
  await page.selectOption("#model", { label: "mine.onnx" });
  await answers(page, "mine.onnx");
  await page.click("#forget");
  await answers(page, "CIFAR-10");
  await page.reload();
  await ready(page);
  assert.deepEqual(await page.$$eval("#model option", (options) => options.map((o) => o.textContent)), PUBLISHED.map(({ name }) => name));
  await end();
});

test("the threshold of the model's own card decides what is called not sure", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  await sees(page, predictions[0]);
  for (const [threshold, doubt] of /** @type {const} */ ([[0.01, ""], [1, "Not sure, perhaps"]])) {
    const card = JSON.stringify({ threshold, images: 100, answered: 90, right: 88 });
    const name = `threshold-${threshold}.onnx`;
    await drop(page, [{ name, buffer: withMetadata(bytes, "lsspq.calibration", card) }]);
    await answers(page, name);
    assert.match((await page.textContent("#answer-note")) ?? "", new RegExp(`Below ${100 * threshold} % it is called not sure\\.`));
    await page.waitForFunction((doubt) => document.querySelector("#doubt")?.textContent === doubt, doubt);
  }
  await end();
});

test("a plain classifier asks for labels, takes them, and keeps them with its scaling", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  await drop(page, [{ name: "plain.onnx", buffer: plain }]);
  await answers(page, "plain.onnx");
  assert.match((await page.textContent("#plain-note")) ?? "", /no model card and no labels/);
  await sees(page, { ...predictions[0], label: `class ${predictions[0].index}` });
  await drop(page, [{ name: "labels.txt", buffer: Buffer.from(named.join("\n")) }]);
  await sees(page, { ...predictions[0], label: named[predictions[0].index] });
  assert.ok(await page.isHidden("#layers-box"), "nothing is known of its layers");
  await page.selectOption("#normalisation", "imagenet");
  await page.waitForFunction((before) => document.querySelector("#top-probability")?.textContent !== before, await page.textContent("#top-probability"));
  await page.selectOption("#normalisation", "unit");
  await sees(page, { ...predictions[0], label: named[predictions[0].index] });
  await drop(page, [{ name: "labels.txt", buffer: Buffer.from("one\ntwo") }]);
  assert.match(await noticeOf(page), /labels do not fit the model plain\.onnx: the list has 2 labels, the network 10 classes.* Still using/);
  await page.reload();
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  await sees(page, { ...predictions[0], label: named[predictions[0].index] });
  await end();
});

test("labels come from the metadata, or from a file that is dropped together with the model", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  const inside = withMetadata(plain, "classes", LABELS.map((l) => l.toUpperCase()).join(","));
  await drop(page, [{ name: "inside.onnx", buffer: inside }]);
  await sees(page, { ...predictions[0], label: predictions[0].label.toUpperCase() });
  await drop(page, [{ name: "names.txt", buffer: Buffer.from(named.join("\n")) }, { name: "both.onnx", buffer: plain }]);
  await sees(page, { ...predictions[0], label: named[predictions[0].index] });
  await end();
});

test("a model that breaks the library is refused, and the one before answers again", async () => {
  // A library that panics at a file of one byte.
  const broken = (/** @type {Page} */ page) =>
    page.route("**/pkg/lsspq.js", async (route) => {
      const answer = await route.fetch();
      const body = `${await answer.text()}
        const load = Classifier.load;
        Classifier.load = (bytes) => { if (bytes.length === 1) throw new WebAssembly.RuntimeError("unreachable"); return load(bytes); };`;
      await route.fulfill({ response: answer, body });
    });
  const { page, end } = await visit(browser, { before: broken });
  await ready(page);
  await drop(page, [{ name: "panic.onnx", buffer: Buffer.from([1]) }]);
  assert.match(await noticeOf(page), /panic\.onnx cannot be used: reading it broke the classifier.* Still using CIFAR-10/);
  await page.setInputFiles("#picture-file", file);
  await sees(page, predictions[0]);
  await end();
});
