/** The page as it opens, with its first model, shown real photographs of several sizes. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch, PAGE, ready, sees, visit } from "./lib/browser.js";
import { classifyNatively } from "./lib/native.js";
import { PUBLISHED, ROOT, SCRATCH } from "./lib/paths.js";
import { photographs } from "./lib/pictures.js";

/** Sizes in pixels: the data set's own, a small picture, a camera's lying and standing, and a phone's photograph. */
const SIZES = [[64, 64], [100, 90], [640, 480], [480, 640], [1600, 1200]];

const [first] = PUBLISHED;
const pictures = photographs(40);
const skip = first.dataset !== "Tiny-ImageNet" ? "the first model knows other things" : pictures.length === 0 && "LSSPQ_DATA is not set";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/**
 * The photographs in the middle of pictures of another size, as the browser enlarges them. As PNG: of a JPEG every decoder makes
 * slightly other pixels, and what the network is unsure of gets another name by them.
 *
 * @param {import("playwright-core").Page} page
 * @param {number[]} size
 */
async function resized(page, [width, height]) {
  const pngs = await page.evaluate(
    async ({ width, height, pictures }) => {
      const bytes = (/** @type {string} */ base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const canvas = new OffscreenCanvas(width, height);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.imageSmoothingQuality = "high";
      const side = Math.min(width, height);
      const made = [];
      for (const base64 of pictures) {
        const picture = await createImageBitmap(new Blob([bytes(base64)]));
        context.fillStyle = "#777";
        context.fillRect(0, 0, width, height);
        context.drawImage(picture, (width - side) / 2, (height - side) / 2, side, side);
        const blob = await canvas.convertToBlob();
        const reader = new FileReader();
        await new Promise((done) => (Object.assign(reader, { onload: done }), reader.readAsDataURL(blob)));
        made.push(String(reader.result).split(",")[1]);
      }
      return made;
    },
    { width, height, pictures: pictures.map(({ file }) => readFileSync(file).toString("base64")) },
  );
  return pngs.map((png, i) => {
    const file = path.join(SCRATCH, `photograph-${width}x${height}-${i}.png`);
    writeFileSync(file, Buffer.from(png, "base64"));
    return file;
  });
}

for (const size of SIZES) {
  const name = size.join(" x ");
  test(`photographs of ${name} get the native library's label, often enough the true one`, { skip }, async (context) => {
    const { page, end } = await visit(browser, { address: PAGE });
    await ready(page);
    const files = await resized(page, size);
    const native = classifyNatively(files, path.join(ROOT, "www/models", first.file));
    let right = 0;
    for (const [i, file] of files.entries()) {
      const [{ index, label, probability }] = native[i].predictions;
      await page.setInputFiles("#picture-file", file);
      await sees(page, { label, probability });
      if (index === pictures[i].label) right++;
    }
    await end();
    context.diagnostic(`${right} of ${files.length} photographs of ${name} are named rightly`);
    // By chance one in 200 would be. A published model names at least 45 % of them, of which 40 are a sample.
    assert.ok(right >= 0.2 * files.length, `only ${right} of ${files.length}`);
  });
}
