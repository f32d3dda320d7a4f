/** Two modules: the browser gets the one that it can run fastest, and both say the same. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch, ready, sees, visit } from "./lib/browser.js";
import { classifyNatively } from "./lib/native.js";
import { MODEL, ROOT } from "./lib/paths.js";
import { generate, samples } from "./lib/pictures.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const [RELAXED, USUAL] = ["lsspq_relaxed_bg.wasm", "lsspq_bg.wasm"];
const [file] = samples();
const [{ predictions }] = classifyNatively([file]);

/**
 * Makes the library believe that the browser has no relaxed SIMD.
 *
 * @param {Page} page
 */
const withoutRelaxed = (page) =>
  page.route("**/pkg/lsspq.js*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `WebAssembly.validate = () => false;\n${await response.text()}` });
  });

for (const { what, prepare, wanted } of [
  { what: "with relaxed SIMD", prepare: undefined, wanted: RELAXED },
  { what: "without relaxed SIMD", prepare: withoutRelaxed, wanted: USUAL },
]) {
  test(`a browser ${what} fetches its module alone and gives the native library's answer`, async () => {
    /** @type {string[]} */
    const modules = [];
    const watched = async (/** @type {Page} */ page) => {
      page.context().on("request", (request) => {
        const name = path.basename(new URL(request.url()).pathname);
        if (name.endsWith(".wasm")) modules.push(name);
      });
      await prepare?.(page);
    };
    const { page, end } = await visit(browser, { before: watched });
    await ready(page);
    await page.setInputFiles("#picture-file", file);
    await sees(page, predictions[0]);
    assert.deepEqual(modules, [wanted]);
    await end();
  });
}

test("both modules give the same logits to the last bit", async () => {
  const { page, end } = await visit(browser);
  const pictures = [0, 1, 2, 3].map((seed) => Array.from(generate(seed, 40, 32)));
  const [relaxed, usual] = await page.evaluate(
    async ({ names, model, pictures }) => {
      const answers = [];
      for (const name of names) {
        // Each with a JavaScript of its own: it holds one module.
        const library = await import(new URL(`pkg/lsspq.js?${name}`, document.baseURI).href);
        await library.default({ module_or_path: new URL(`pkg/${name}`, document.baseURI) });
        const classifier = library.Classifier.load(Uint8Array.from(atob(model), (c) => c.charCodeAt(0)));
        answers.push(pictures.map((rgba) => Array.from(/** @type {Float32Array} */ (classifier.logits(Uint8Array.from(rgba), 40, 32)))));
      }
      return answers;
    },
    { names: [RELAXED, USUAL], model: readFileSync(MODEL).toString("base64"), pictures },
  );
  assert.ok(usual.length === 4 && usual.flat().every(Number.isFinite));
  assert.deepEqual(relaxed, usual);
  await end();
});

test("what is kept for the time without a network is the module that is loaded", async () => {
  const { page, end } = await visit(browser, { offline: true });
  await ready(page);
  await page.waitForSelector("body[data-offline=ready]");
  const kept = await page.evaluate(async () => (await (await caches.open("lsspq")).keys()).map(({ url }) => new URL(url).pathname));
  assert.deepEqual(kept.filter((address) => address.endsWith(".wasm")).map((address) => path.basename(address)), [RELAXED]);
  await end();
});

test("page and service worker ask the browser by the same bytes", () => {
  const bytes = (/** @type {string} */ name) => {
    const text = readFileSync(path.join(ROOT, name), "utf8");
    const definition = text.slice(text.indexOf("RELAXED_SIMD = "), text.indexOf("\n);", text.indexOf("RELAXED_SIMD = ")));
    return definition.replace(/\/\/.*/g, "").match(/\d+/g)?.map(Number).slice(1);
  };
  const asked = bytes("pkg/lsspq.js");
  assert.equal(asked?.length, 36);
  assert.deepEqual(bytes("www/sw.js"), asked);
});
