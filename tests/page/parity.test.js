/** The library in the browser and the native one say the same about the same pixels. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { launch, visit } from "./lib/browser.js";
import { classifyNatively } from "./lib/native.js";
import { MODEL, SCRATCH } from "./lib/paths.js";
import { generate, pixelsOf, testPictures } from "./lib/pictures.js";

/** How far a logit may differ: sums are whole numbers, and what follows is the same few operations. */
const TOLERANCE = 1e-3;

/** Sizes of the generated pictures in pixels: the network's own, larger, smaller, and no square. */
const SIZES = [[32, 32], [48, 40], [20, 33], [160, 120]];

test("on at least 200 pictures the top-1 is equal and logits are within the tolerance", async (context) => {
  const browser = await launch();
  const { page, end } = await visit(browser);
  /** @type {{ width: number, height: number, rgba: Buffer }[]} */
  const pictures = SIZES.flatMap(([width, height], i) =>
    Array.from({ length: 50 }, (_, j) => ({ width, height, rgba: Buffer.from(generate(1000 * i + j, width, height)) })),
  );
  // One decoder for both: what is compared is the library.
  for (const { file } of testPictures(20)) pictures.push(await pixelsOf(page, file));

  const arguments_ = pictures.flatMap(({ width, height, rgba }, i) => {
    const file = path.join(SCRATCH, `${i}.rgba`);
    writeFileSync(file, rgba);
    return ["--rgba", `${width}x${height}`, file];
  });
  const native = classifyNatively(arguments_);

  const packed = pictures.map(({ width, height, rgba }) => ({ width, height, base64: rgba.toString("base64") }));
  const inBrowser = await page.evaluate(
    async ({ model, pictures }) => {
      const unpack = (/** @type {string} */ base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const library = await import(new URL("pkg/lsspq.js", document.baseURI).href);
      await library.default();
      const classifier = library.Classifier.load(unpack(model));
      const logits = pictures.map((p) => Array.from(/** @type {Float32Array} */ (classifier.logits(unpack(p.base64), p.width, p.height))));
      classifier.free();
      return logits;
    },
    { model: readFileSync(MODEL).toString("base64"), pictures: packed },
  );
  await end();
  await browser.close();

  assert.ok(native.length >= 200 && native.length === inBrowser.length, `${native.length} and ${inBrowser.length} answers`);
  const first = (/** @type {number[]} */ logits) => logits.indexOf(Math.max(...logits));
  let largest = 0;
  for (const [i, { logits }] of native.entries()) {
    assert.equal(first(inBrowser[i]), first(logits), `top-1 of picture ${i}`);
    const difference = Math.max(...logits.map((logit, c) => Math.abs(logit - inBrowser[i][c])));
    largest = Math.max(largest, difference);
  }
  context.diagnostic(`${native.length} pictures, largest difference of a logit ${largest}`);
  assert.ok(largest <= TOLERANCE, `a logit differs by ${largest}, more than ${TOLERANCE}`);
});
