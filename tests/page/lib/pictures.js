/** Pictures for the tests: generated, sample photographs, and real test pictures where they are at hand. */

import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PHOTOGRAPHS, SAMPLES, SCRATCH, TEST_PICTURES } from "./paths.js";

/** @typedef {import("playwright-core").Page} Page */

/**
 * Numbers in [0, 1) that look random and are the same every time.
 *
 * @param {number} seed
 */
function dice(seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * RGBA pixels: a sky that fades, discs, and grain.
 *
 * @param {number} seed
 * @param {number} width
 * @param {number} height
 */
export function generate(seed, width, height) {
  const roll = dice(seed);
  const colour = () => [roll() * 255, roll() * 255, roll() * 255];
  const [top, bottom] = [colour(), colour()];
  const discs = Array.from({ length: 1 + Math.floor(roll() * 4) }, () => ({
    x: roll() * width,
    y: roll() * height,
    radius: (0.1 + 0.3 * roll()) * Math.min(width, height),
    colour: colour(),
  }));
  const grain = roll() * 60;
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const disc = discs.find((d) => Math.hypot(x - d.x, y - d.y) < d.radius);
      for (let c = 0; c < 3; c++) {
        const plain = disc ? disc.colour[c] : top[c] + ((bottom[c] - top[c]) * y) / height;
        rgba[4 * (y * width + x) + c] = plain + (roll() - 0.5) * grain;
      }
      rgba[4 * (y * width + x) + 3] = 255;
    }
  }
  return rgba;
}

/** The sample photographs. */
export const samples = () => readdirSync(SAMPLES).filter((f) => f.endsWith(".jpg")).map((f) => path.join(SAMPLES, f));

/**
 * Real test pictures with their labels: the first of every class. None without LSSPQ_DATA.
 *
 * @param {number} each
 * @returns {{ file: string, label: string }[]}
 */
export function testPictures(each) {
  if (!TEST_PICTURES) return [];
  const folder = TEST_PICTURES;
  return readdirSync(folder).sort().flatMap((label) => {
    const files = readdirSync(path.join(folder, label)).sort().slice(0, each);
    return files.map((file) => ({ file: path.join(folder, label, file), label }));
  });
}

/**
 * The first photographs of Tiny-ImageNet's validation split with the numbers of their classes. None without LSSPQ_DATA.
 *
 * @param {number} count
 * @returns {{ file: string, label: number }[]}
 */
export function photographs(count) {
  if (!PHOTOGRAPHS || !existsSync(PHOTOGRAPHS)) return [];
  const folder = PHOTOGRAPHS;
  const lines = (/** @type {string} */ file) => readFileSync(path.join(folder, file), "utf8").trim().split("\n");
  const classes = lines("wnids.txt");
  return lines("val/val_annotations.txt").slice(0, count).map((line) => {
    const [name, id] = line.split("\t");
    return { file: path.join(folder, "val/images", name), label: classes.indexOf(id) };
  });
}

/**
 * What a camera of 640x480 would give of a picture: the picture fills the square in the middle. The browser draws and
 * encodes it.
 *
 * @param {Page} page
 * @param {string} file
 * @param {string} name of the JPEG in the scratch folder
 */
export async function cameraFrame(page, file, name) {
  const bytes = readFileSync(file).toString("base64");
  const jpeg = await page.evaluate(async (base64) => {
    const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
    const canvas = new OffscreenCanvas(640, 480);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.fillStyle = "#777";
    context.fillRect(0, 0, 640, 480);
    context.imageSmoothingQuality = "high";
    const side = Math.min(picture.width, picture.height);
    const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
    context.drawImage(picture, left, top, side, side, 80, 0, 480, 480);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
    return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (b) => String.fromCharCode(b)).join(""));
  }, bytes);
  const target = path.join(SCRATCH, `${name}.jpg`);
  writeFileSync(target, Buffer.from(jpeg, "base64"));
  return target;
}

/**
 * A film of one picture, for the fake camera.
 *
 * @param {string} jpeg
 */
export function film(jpeg) {
  const target = jpeg.replace(/\.jpg$/, ".mjpeg");
  writeFileSync(target, Buffer.concat(new Array(30).fill(readFileSync(jpeg))));
  return target;
}

/**
 * The RGBA pixels of a picture as this browser decodes it.
 *
 * @param {Page} page
 * @param {string} file
 * @returns {Promise<{ width: number, height: number, rgba: Buffer }>}
 */
export async function pixelsOf(page, file) {
  const { width, height, data } = await page.evaluate(async (base64) => {
    const blob = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]);
    const picture = await createImageBitmap(blob, { colorSpaceConversion: "none" });
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(picture.width, picture.height).getContext("2d"));
    context.drawImage(picture, 0, 0);
    const pixels = context.getImageData(0, 0, picture.width, picture.height);
    return { width: pixels.width, height: pixels.height, data: Array.from(pixels.data) };
  }, readFileSync(file).toString("base64"));
  return { width, height, rgba: Buffer.from(data) };
}
