/** Loading: progress to the last byte, and a sentence for everything that can be wrong with a model. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { PAGE, launch, noticeOf, ready, sees, visit } from "./lib/browser.js";
import { classifyNatively } from "./lib/native.js";
import { withMetadata } from "./lib/onnx.js";
import { MODEL, PUBLISHED } from "./lib/paths.js";
import { samples } from "./lib/pictures.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const bytes = readFileSync(MODEL);
const CIFAR = /** @type {import("../../www/shared/messages.js").ModelEntry} */ (PUBLISHED.find(({ file }) => file === "cifar10.onnx"));
const [file] = samples();

/** The line that Chromium itself writes when a file is missing. */
const MISSING = /Failed to load resource/;

/**
 * @param {string} address
 * @param {object} answer
 */
const answering = (address, answer) => (/** @type {Page} */ page) => page.route(address, (route) => route.fulfill(answer));

test("progress is counted in bytes, never goes back, and reaches 100 %", async () => {
  const watch = (/** @type {Page} */ page) =>
    page.addInitScript(() => {
      const seen = /** @type {number[]} */ ((/** @type {any} */ (window).seen = []));
      const set = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(HTMLProgressElement.prototype, "value"));
      Object.defineProperty(HTMLProgressElement.prototype, "value", {
        ...set,
        set(value) {
          seen.push(value);
          set.set?.call(this, value);
        },
      });
    });
  const { page, end } = await visit(browser, { before: watch });
  await ready(page);
  const seen = await page.evaluate(() => /** @type {number[]} */ (/** @type {any} */ (window).seen));
  assert.ok(seen.length > 2, `${seen.length} steps`);
  assert.ok(seen.every((value, i) => i === 0 || value >= seen[i - 1]), seen.join(" "));
  assert.equal(seen.at(-1), 1);
  const module = await page.evaluate(async () => (await import(new URL("pkg/lsspq.js", document.baseURI).href)).moduleAddress().href);
  const wasm = await (await page.request.get(module)).body();
  const mib = ((wasm.length + bytes.length) / 2 ** 20).toFixed(2);
  assert.equal(await page.textContent("#progress-bytes"), `${mib} MiB of ${mib} MiB · 100 %`);
  await end();
});

test("the panel shows what the model file says, and density only beside what it needs", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  const tile = (/** @type {string} */ key) => page.innerText(`[data-figure=${key}]`);
  assert.match(await tile("size"), new RegExp(`${(bytes.length / 2 ** 20).toFixed(3).slice(0, 5)}`));
  assert.match(await tile("accuracy"), /\d+\.\d\d %[^]*95 % interval[^]*test pictures/);
  const density = await tile("density");
  for (const needed of [/\d+\.\d\d % in/, /MiB on/, /guessing gives \d+/]) assert.match(density, needed);
  assert.ok(density.includes(CIFAR.dataset));
  assert.match(await tile("bits"), /[Ww]eights \d-bit/);
  assert.match(await tile("ratio"), /\d ×/);
  await end();
});

describe("without a first model the page says why and offers a way on:", () => {
  const cases = [
    { what: "the list is missing", route: ["**/models/index.json", { status: 404 }], says: /list of models .* is missing/ },
    { what: "the list is no JSON", route: ["**/models/index.json", { body: "<html>" }], says: /list of models .* cannot be read/ },
    { what: "the list is empty", route: ["**/models/index.json", { json: { models: [] } }], says: /list of models .* cannot be read/ },
    { what: "the model is missing", route: ["**/models/cifar10.onnx", { status: 404 }], says: /CIFAR-10.* is missing on the server/ },
    { what: "the model is cut off", route: ["**/models/cifar10.onnx", { body: bytes.subarray(0, 999) }], says: /damaged: .*cifar10\.onnx has 999 bytes/ },
    { what: "the model is empty", route: ["**/models/cifar10.onnx", { body: "" }], says: /damaged: .*has 0 bytes/ },
    {
      what: "the model is longer than listed",
      route: ["**/models/cifar10.onnx", { body: Buffer.concat([bytes, bytes]) }],
      says: /damaged: .*longer/,
    },
    {
      what: "the model is another file of that length",
      route: ["**/models/cifar10.onnx", { body: Buffer.from(bytes.map((b, i) => (i === 9 ? b ^ 1 : b))) }],
      says: /damaged: .*SHA-256/,
    },
    { what: "the library is not built", route: ["**/pkg/lsspq.js", { status: 404 }], says: /pkg\/.* is missing/ },
    { what: "the library's WebAssembly is missing", route: ["**/pkg/lsspq*_bg.wasm", { status: 404 }], says: /pkg\/.* is missing/ },
    { what: "the library's WebAssembly is broken", route: ["**/pkg/lsspq*_bg.wasm", { body: "x", contentType: "application/wasm" }], says: /does not start/ },
  ];
  for (const { what, route, says } of cases) {
    test(what, async () => {
      const [address, answer] = /** @type {[string, object]} */ (route);
      const { page, end } = await visit(browser, { before: answering(address, answer), mayComplain: MISSING });
      assert.match(await noticeOf(page), says);
      await page.unroute(address);
      await page.click("#notice-action");
      await ready(page);
      assert.ok(await page.isHidden("#notice"));
      await end();
    });
  }

  test("the browser has no WebAssembly SIMD", async () => {
    const old = (/** @type {Page} */ page) => page.addInitScript(() => void (WebAssembly.validate = () => false));
    const { page, end } = await visit(browser, { before: old });
    assert.match(await noticeOf(page), /WebAssembly SIMD/);
    await end();
  });
});

describe("a model that cannot be used leaves the one that was there:", () => {
  const own = [
    { what: "cut off", name: "half.onnx", content: () => bytes.subarray(0, bytes.length >> 1) },
    { what: "no ONNX at all", name: "noise.onnx", content: () => Buffer.from("GIF89a and so on") },
    { what: "empty", name: "empty.onnx", content: () => Buffer.alloc(0) },
    // Field 7 of an ONNX file is its graph; a file with an IR version alone has neither graph nor card.
    { what: "without graph and metadata", name: "bare.onnx", content: () => Buffer.from([0x08, 0x08]) },
  ];
  for (const { what, name, content } of own) {
    test(what, async () => {
      const { page, end } = await visit(browser);
      await ready(page);
      await page.setInputFiles("#model-file", { name, mimeType: "application/octet-stream", buffer: content() });
      assert.match(await noticeOf(page), new RegExp(`^The model ${name} cannot be used: .+ Still using CIFAR-10`));
      await page.setInputFiles("#picture-file", file);
      const [{ predictions }] = classifyNatively([file]);
      await sees(page, predictions[0]);
      await end();
    });
  }

  test("of 500 MB", async () => {
    const { page, end } = await visit(browser);
    await ready(page);
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      // The same memory eight times.
      const part = new Uint8Array(500e6 / 8);
      transfer.items.add(new File(new Array(8).fill(part), "huge.onnx"));
      document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
    });
    assert.match(await noticeOf(page), /huge\.onnx has 477 MiB; at most 64 are read.*Still using/);
    await end();
  });
});

test("a model from the visitor's own disk takes the place of the published one", async () => {
  const { page, end } = await visit(browser);
  await ready(page);
  await page.setInputFiles("#model-file", { name: "mine.onnx", mimeType: "application/octet-stream", buffer: bytes });
  await page.waitForFunction(() => {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector("#model"));
    return select.selectedOptions[0]?.text === "mine.onnx";
  });
  await page.selectOption("#model", { index: 0 });
  await page.waitForFunction(() => document.querySelector("#loading")?.hasAttribute("hidden"));
  await end();
});

test("one of several published models is chosen, and is chosen again at the next visit", async () => {
  // Another file by its hash: metadata that nobody asks for.
  const second = withMetadata(bytes, "note", "the second");
  const sha256 = createHash("sha256").update(second).digest("hex");
  const models = [CIFAR, { ...CIFAR, file: "second.onnx", name: "The second", sha256, bytes: second.length }];
  const two = async (/** @type {Page} */ page) => {
    await page.route("**/models/index.json", (route) => route.fulfill({ json: { models } }));
    await page.route("**/models/second.onnx", (route) => route.fulfill({ body: second }));
  };
  const { page, end } = await visit(browser, { before: two });
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  const [{ predictions }] = classifyNatively([file]);
  await sees(page, predictions[0]);
  const hash = (/** @type {string} */ sha256) => page.waitForFunction((sha256) => document.querySelector("#facts")?.textContent?.includes(sha256), sha256);
  await hash(CIFAR.sha256);
  await page.selectOption("#model", { label: "The second" });
  await hash(sha256);
  await sees(page, predictions[0]);
  assert.ok(await page.isHidden("#back"), "a published model is nobody's own");
  await page.reload();
  await hash(sha256);
  assert.equal(await page.$eval("#model", (select) => /** @type {HTMLSelectElement} */ (select).selectedOptions[0].text), "The second");
  await page.selectOption("#model", { index: 0 });
  await hash(CIFAR.sha256);
  await end();
});

test("the address names a model; without one the first of the list answers, and what is not listed is said", async () => {
  const chosen = (/** @type {Page} */ page) => page.$eval("#model", (select) => /** @type {HTMLSelectElement} */ (select).selectedOptions[0].text);
  for (const [query, name] of [["", PUBLISHED[0].name], ...PUBLISHED.map(({ file, name }) => [`?model=${file}`, name])]) {
    const { page, end } = await visit(browser, { address: new URL(query, PAGE).href });
    await ready(page);
    assert.equal(await chosen(page), name);
    assert.equal(new URL(page.url()).search, query);
    await end();
  }
  const { page, end } = await visit(browser, { address: new URL("?model=none.onnx&x=1", PAGE).href });
  await ready(page);
  assert.equal(await noticeOf(page), `This page has no model none.onnx. Using ${PUBLISHED[0].name} in its place.`);
  assert.equal(new URL(page.url()).search, "?x=1");
  await page.selectOption("#model", { label: CIFAR.name });
  await page.waitForFunction((sha256) => document.querySelector("#facts")?.textContent?.includes(sha256), CIFAR.sha256);
  await page.waitForSelector("#notice", { state: "hidden" });
  await end();
});
