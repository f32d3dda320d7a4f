/** Pictures of the page, as it opens, in its main states, for people to look at; and the README's own. */

import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { CAMERAS, launch, noticeOf, PAGE, ready, visit } from "./lib/browser.js";
import { withoutCard } from "./lib/onnx.js";
import { MODEL, ROOT, SAMPLES } from "./lib/paths.js";
import { cameraFrame, film } from "./lib/pictures.js";

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };
const folder = path.join(ROOT, "target/screenshots");
mkdirSync(folder, { recursive: true });

const helper = await launch();
const { page: blank } = await visit(helper);
const coffee = film(await cameraFrame(blank, path.join(SAMPLES, "coffee.jpg"), "coffee"));
await helper.close();

/** @typedef {import("playwright-core").Page} Page */

/** @type {Record<string, { camera: string[], loads?: boolean, before?: (page: Page) => Promise<unknown>, act: (page: Page) => Promise<unknown> }>} */
const STATES = {
  loading: {
    camera: CAMERAS.none,
    loads: true,
    before: (page) => page.route("**/models/*.onnx", () => {}),
    act: (page) => page.waitForFunction(() => /MiB/.test(document.querySelector("#progress-bytes")?.textContent ?? "")),
  },
  idle: { camera: CAMERAS.none, act: async () => {} },
  camera: {
    camera: CAMERAS.playing(coffee),
    act: async (page) => {
      await page.click("#start");
      await page.waitForFunction(() => /^\d/.test(document.querySelector("#rate")?.textContent ?? ""));
      await page.waitForTimeout(2500);
    },
  },
  picture: {
    camera: CAMERAS.none,
    act: async (page) => {
      await page.click("#sample-list button >> nth=1");
      await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
      await page.waitForTimeout(400);
    },
  },
  portrait: {
    camera: CAMERAS.none,
    act: async (page) => {
      const tall = await page.evaluate(async () => {
        const canvas = new OffscreenCanvas(480, 640);
        const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
        context.drawImage(/** @type {HTMLImageElement} */ (document.querySelector("#sample-list img")), 0, 80, 480, 480);
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
        return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
      });
      await page.setInputFiles("#picture-file", { name: "tall.png", mimeType: "image/png", buffer: Buffer.from(tall, "base64") });
      await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
    },
  },
  unfolded: {
    camera: CAMERAS.playing(coffee),
    act: async (page) => {
      await page.click("#start");
      await page.waitForSelector("#chart-box:not([hidden])");
      await page.click("#measure");
      await page.waitForSelector("#copy-measure:visible");
      await page.waitForTimeout(2500);
      await page.click("#freeze");
      for (const summary of await page.$$("#panel summary")) await summary.click();
      await page.click("#measure-layers");
      await page.waitForFunction(() => document.querySelector("#layers-note")?.textContent !== "");
      await page.waitForTimeout(300);
    },
  },
  taught: {
    camera: CAMERAS.playing(coffee),
    act: async (page) => {
      for (const [i, name] of ["cat", "coffee"].entries()) {
        await page.fill("#teach-name", name);
        await page.press("#teach-name", "Enter");
        await page.setInputFiles(`.class-card:nth-child(${i + 1}) input[type=file]`, path.join(SAMPLES, `${name}.jpg`));
        await page.waitForSelector(`.class-card:nth-child(${i + 1}) .thumbnail`);
      }
      await page.click("#start");
      await page.waitForSelector("#answers-by-box:not([hidden])");
      await page.waitForFunction(() => /^\d/.test(document.querySelector("#rate")?.textContent ?? ""));
      await page.waitForTimeout(2500);
    },
  },
  plain: {
    camera: CAMERAS.none,
    act: async (page) => {
      const buffer = withoutCard(readFileSync(MODEL));
      await page.setInputFiles("#model-file", { name: "plain.onnx", mimeType: "application/octet-stream", buffer });
      await page.waitForSelector("#plain:not([hidden])");
      await page.click("#sample-list button >> nth=0");
      await page.waitForFunction(() => document.querySelector("#top-label")?.textContent !== "–");
    },
  },
  refused: {
    camera: CAMERAS.refused,
    act: async (page) => {
      await page.click("#start");
      await noticeOf(page);
    },
  },
};

for (const [state, { camera, loads, before, act }] of Object.entries(STATES)) {
  const browser = await launch(camera);
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      const { page } = await visit(browser, { context: { viewport, colorScheme }, before, address: PAGE });
      if (!loads) await ready(page);
      await act(page);
      await page.screenshot({ path: path.join(folder, `${state}-${size}-${colorScheme}.png`), fullPage: true });
      // Only photographs that are free to publish are to be seen here.
      if (state === "camera" && size === "desktop" && colorScheme === "light") {
        mkdirSync(path.join(ROOT, "docs"), { recursive: true });
        await page.screenshot({ path: path.join(ROOT, "docs/screenshot.png") });
      }
      await page.context().close();
    }
  }
  await browser.close();
}
console.log(`pictures of the page are in ${folder}, the README's is docs/screenshot.png`);
