/** Pictures by every door: file, drop, paste, sample. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, noticeOf, ready, sees, visit } from "./lib/browser.js";
import { classifyNatively } from "./lib/native.js";
import { pixelsOf, samples } from "./lib/pictures.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const [file, other] = samples();
const [expected, expectedOther] = classifyNatively([file, other]).map(({ predictions }) => predictions[0]);

/**
 * Drops or pastes a file onto the page.
 *
 * @param {import("playwright-core").Page} page
 * @param {"drop" | "paste"} how
 * @param {string} name
 * @param {Buffer} bytes
 * @param {string} type
 */
function give(page, how, name, bytes, type) {
  const transfer = { how, name, type, base64: bytes.toString("base64") };
  return page.evaluate(({ how, name, type, base64 }) => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
    const options = { bubbles: true, cancelable: true };
    const event =
      how === "drop" ? new DragEvent("drop", { ...options, dataTransfer: files }) : new ClipboardEvent("paste", { ...options, clipboardData: files });
    document.body.dispatchEvent(event);
  }, transfer);
}

test("a chosen file is shown and gets the native library's label", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  await sees(page, expected);
  assert.ok(await page.isVisible("#still"));
  assert.ok(await page.isVisible("#preview"));
  assert.equal(await page.textContent("#rate"), "–");
  await end();
});

test("the preview shows the very pixels that go into the network", async () => {
  const { page, end } = await visit(browser, { mayComplain: /willReadFrequently/ });
  await ready(page);
  const { width, height, rgba } = await pixelsOf(page, other);
  await page.setInputFiles("#picture-file", other);
  await sees(page, expectedOther);
  const [shown, input] = await page.evaluate(
    async ({ width, height, base64 }) => {
      const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("#preview"));
      const shown = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      const library = await import(new URL("pkg/lsspq.js", document.baseURI).href);
      await library.default();
      const model = await (await fetch("models/cifar10.onnx")).arrayBuffer();
      const classifier = library.Classifier.load(new Uint8Array(model));
      const input = classifier.input(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)), width, height);
      return [[...shown], [...input]];
    },
    { width, height, base64: rgba.toString("base64") },
  );
  const pixels = input.length / 3;
  assert.equal(shown.length, 4 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let colour = 0; colour < 3; colour++) {
      assert.ok(Math.abs(shown[4 * i + colour] - 255 * input[colour * pixels + i]) <= 0.5 + 1e-3, `pixel ${i}`);
    }
  }
  await end();
});

test("a file that is chosen before the model is there is classified when it comes", async () => {
  const { page, end } = await visit(browser, {
    before: (page) => page.route("**/models/cifar10.onnx", (route) => setTimeout(() => route.continue(), 1000)),
  });
  await page.setInputFiles("#picture-file", file);
  await sees(page, expected);
  await end();
});

for (const how of /** @type {const} */ (["drop", "paste"])) {
  test(`a picture given by ${how} is classified`, async () => {
    const { page, end } = await visit(browser);
    await ready(page);
    await give(page, how, "given.jpg", readFileSync(file), "image/jpeg");
    await sees(page, expected);
    await end();
  });
}

test("a sample photograph is classified, its label is said once, and its source is named", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.click("#sample-list button >> nth=0");
  await page.waitForFunction(() => document.querySelector("#announcer")?.textContent !== "");
  assert.match((await page.textContent("#announcer")) ?? "", new RegExp(`^${await page.textContent("#top-label")}, \\d+ percent$`));
  const sources = await page.$$eval("#sample-sources li", (items) => items.map((item) => item.textContent ?? ""));
  assert.equal(sources.length, samples().length);
  assert.ok(sources.every((source) => /CC0|public domain/.test(source)), sources.join("\n"));
  await end();
});

test("a file that is no picture is refused by name, and what was shown stays", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  await sees(page, expected);
  await page.setInputFiles("#picture-file", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
  assert.match(await noticeOf(page), /^notes\.txt is no picture/);
  await sees(page, expected);
  await page.setInputFiles("#picture-file", other);
  await sees(page, expectedOther);
  assert.ok(await page.isHidden("#notice"));
  await end();
});

test("what is transparent is seen over white", async () => {
  const { page, end } = await visit(browser, { mayComplain: /willReadFrequently/ });
  await ready(page);
  const png = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(40, 40);
    canvas.getContext("2d");
    const blob = await canvas.convertToBlob({ type: "image/png" });
    return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (b) => String.fromCharCode(b)).join(""));
  });
  // Twice: what was on the worker's canvas before must not shine through.
  await page.setInputFiles("#picture-file", file);
  await sees(page, expected);
  await give(page, "drop", "clear.png", Buffer.from(png, "base64"), "image/png");
  await page.waitForFunction(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("#preview"));
    return canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data.every((v) => v === 255);
  });
  await end();
});
