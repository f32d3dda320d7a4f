/** Teaching classes of one's own: recorded, dropped, undone, saved, opened, exported, kept. */

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { CAMERAS, launch, ready, sees, visit } from "./lib/browser.js";
import { lsspq } from "./lib/native.js";
import { withMetadata } from "./lib/onnx.js";
import { MODEL, SAMPLES, SCRATCH } from "./lib/paths.js";
import { cameraFrame, film } from "./lib/pictures.js";
import { unzip } from "./lib/zip.js";

/** @typedef {import("playwright-core").Page} Page */

/** What the fake camera plays: the film that lies there when it starts. */
const PLAYING = path.join(SCRATCH, "playing.mjpeg");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {import("playwright-core").Browser} */
let browser;
/** Films of two photographs. @type {string[]} */
let films;
before(async () => {
  const helper = await launch();
  const { page, end } = await visit(helper);
  films = [];
  for (const name of ["cat", "rocket"]) films.push(film(await cameraFrame(page, path.join(SAMPLES, `${name}.jpg`), `teach-${name}`)));
  await end();
  await helper.close();
  copyFileSync(films[0], PLAYING);
  browser = await launch(CAMERAS.playing(PLAYING));
});
after(() => browser.close());

/** @param {Parameters<typeof visit>[1]} [options] */
const open = async (options) => {
  const visited = await visit(browser, { mayComplain: /use-fake/, ...options });
  await ready(visited.page);
  return visited;
};

/** @param {Page} page @param {string} name */
const card = (page, name) => page.locator(".class-card").filter({ has: page.getByRole("button", { name: `Hold to record ${name}`, exact: true }) });

/** @param {Page} page @param {string} name */
async function addClass(page, name) {
  await page.fill("#teach-name", name);
  await page.press("#teach-name", "Enter");
  await card(page, name).waitFor();
}

/** @param {Page} page @param {RegExp} words waits until the status says so */
const says = (page, words) =>
  page.waitForFunction(({ source, flags }) => new RegExp(source, flags).test(document.querySelector("#teach-status")?.textContent ?? ""), { source: words.source, flags: words.flags })
    .catch(async () => assert.fail(`the status is “${await page.textContent("#teach-status")}”, not ${words}`));

/** @param {Page} page @param {string} name @param {number} least waits until the class has that many pictures */
const has = (page, name, least) =>
  page.waitForFunction(
    ([name, least]) => [...document.querySelectorAll(".class-card")].some((c) => c.querySelector("input")?.value === name && parseInt(c.querySelector(".class-count")?.textContent ?? "") >= Number(least)),
    [name, least],
  );

/** @param {Page} page @returns {Promise<Record<string, number>>} */
const counts = async (page) =>
  Object.fromEntries(await page.$$eval(".class-card", (cards) => cards.map((c) => [c.querySelector("input")?.value ?? "", parseInt(c.querySelector(".class-count")?.textContent ?? "")])));

/** @param {Page} page @param {string} file another film is played */
async function play(page, file) {
  if (await page.isVisible("#stop")) await page.click("#stop");
  // Not before: a camera whose film changes under it goes away.
  copyFileSync(file, PLAYING);
  await page.click("#start");
  await page.waitForSelector("#stage[data-state=live]");
  await page.waitForFunction(() => /^\d/.test(document.querySelector("#rate")?.textContent ?? ""));
}

/**
 * Drops files onto an element.
 *
 * @param {Page} page
 * @param {string} selector
 * @param {{ name: string, buffer: Buffer }[]} files
 */
const drop = (page, selector, files) =>
  page.$eval(selector, (node, files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    node.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }, files.map(({ name, buffer }) => ({ name, base64: buffer.toString("base64") })));

const photograph = (/** @type {string} */ name) => ({ name: `${name}.jpg`, buffer: readFileSync(path.join(SAMPLES, `${name}.jpg`)) });

/** Two classes from files: fast, and without a camera. @param {Page} page */
async function teachFiles(page) {
  await addClass(page, "pet");
  await addClass(page, "drink: hot");
  await drop(page, ".class-card:nth-child(1)", [photograph("cat"), photograph("horse"), { name: "notes.txt", buffer: Buffer.from("no picture") }]);
  await says(page, /Added 2 pictures to pet\./);
  const chosen = [photograph("coffee"), { name: "broken.jpg", buffer: Buffer.from("no picture") }];
  await page.setInputFiles(".class-card:nth-child(2) input[type=file]", chosen.map((file) => ({ ...file, mimeType: "image/jpeg" })));
  await says(page, /Added 1 picture to drink: hot\. 1 file could not be read/);
}

test("two classes taught from two films of the camera are both recognised", async () => {
  const { page, end } = await open();
  await addClass(page, "whiskers");
  await addClass(page, "launch");
  await play(page, films[0]);
  const record = (/** @type {string} */ name) => card(page, name).getByRole("button", { name: /^Hold to record/ });
  await record("whiskers").scrollIntoViewIfNeeded();
  await record("whiskers").hover();
  await page.mouse.down();
  await has(page, "whiskers", 6);
  // Let go outside of the button.
  await page.mouse.move(5, 5);
  await page.mouse.up();
  await says(page, /Recorded \d+ pictures of whiskers/);
  assert.match((await page.textContent("#teach-check")) ?? "", /as soon as two classes have pictures/);
  await play(page, films[1]);
  await record("launch").focus();
  await page.keyboard.down(" ");
  await has(page, "launch", 6);
  await page.keyboard.up(" ");
  await says(page, /Recorded \d+ pictures of launch\. Learned in [\d.]+ ms/);
  const recorded = await counts(page);
  await sees(page, { label: "launch", probability: 1 }, 0.3);
  assert.match((await page.textContent("#answer-note")) ?? "", /^You taught it: whiskers, launch\./);
  assert.match((await page.textContent("#teach-check")) ?? "", /^(\d+) of \1 pictures held back were recognised; guessing would get 50 %/);
  await play(page, films[0]);
  await sees(page, { label: "whiskers", probability: 1 }, 0.3);
  await page.waitForFunction(() => /whiskers \d+ %/.test(document.querySelector("#teach-now")?.textContent ?? ""));
  // The network's own classes are one choice away.
  await page.selectOption("#answers-by", "model");
  await page.waitForFunction(() => !["–", "whiskers", "launch"].includes(document.querySelector("#top-label")?.textContent ?? "–"));
  // Undo takes back all that was recorded in one go.
  await page.click("#teach-undo");
  await says(page, /Undone/);
  assert.deepEqual(await counts(page), { ...recorded, launch: 0 });
  assert.ok(await page.isHidden("#answers-by-box"));
  await end();
});

test("files that are dropped onto a class or chosen go into it; one picture, and a class, can be removed and brought back", async () => {
  const { page, end } = await open();
  await teachFiles(page);
  assert.equal(await page.getAttribute("#stage", "data-state"), "idle", "the page opens none of them as well");
  assert.deepEqual(await counts(page), { pet: 2, "drink: hot": 1 });
  assert.match((await page.textContent("#teach-check")) ?? "", /two pictures or more of every class it can be checked/);
  await page.click("#sample-list button >> nth=1");
  await page.waitForFunction(() => ["pet", "drink: hot"].includes(document.querySelector("#top-label")?.textContent ?? ""));
  await card(page, "pet").getByRole("button", { name: "Remove picture 1 of pet" }).click();
  await says(page, /Removed one picture/);
  assert.deepEqual(await counts(page), { pet: 1, "drink: hot": 1 });
  await card(page, "pet").getByRole("button", { name: "Remove pet" }).click();
  await says(page, /Removed pet/);
  assert.deepEqual(await counts(page), { "drink: hot": 1 });
  for (let i = 0; i < 2; i++) await page.click("#teach-undo");
  await has(page, "pet", 2);
  assert.equal(await card(page, "pet").locator("img").count(), 2, "the pictures are there again");
  // A name that is taken is refused in words, and the old one stays.
  await card(page, "pet").getByRole("textbox").fill("Drink: HOT");
  await page.keyboard.press("Enter");
  await says(page, /there is a class Drink: HOT already/);
  assert.deepEqual(await counts(page), { pet: 2, "drink: hot": 1 });
  await card(page, "pet").getByRole("textbox").fill("animal");
  await page.keyboard.press("Enter");
  await card(page, "animal").waitFor();
  assert.equal(await page.evaluate(() => /** @type {HTMLInputElement} */ (document.activeElement).value), "animal", "the focus stays");
  await end();
});

test("a reload keeps what was taught; a file of it opens for its model, and for no other", async () => {
  const { page, end } = await open();
  page.on("dialog", (dialog) => dialog.accept());
  await teachFiles(page);
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click("#teach-save")]);
  assert.equal(saved.suggestedFilename(), "my-classes.taught");
  const bytes = readFileSync(await saved.path());
  assert.ok(bytes.length < 5000, `${bytes.length} bytes`);
  await page.reload();
  await ready(page);
  await has(page, "pet", 2);
  assert.equal(await card(page, "pet").locator("img").count(), 2);
  await page.click("#teach-forget");
  await says(page, /Forgotten/);
  await page.reload();
  await ready(page);
  await page.waitForSelector("#teach-body:visible");
  assert.deepEqual(await counts(page), {});

  const file = (/** @type {Buffer} */ buffer) => [{ name: "mine.taught", buffer }];
  await drop(page, "body", file(bytes.subarray(0, 900)));
  await says(page, /mine\.taught cannot be opened: the file is damaged, or only a part of one/);
  await drop(page, "body", file(Buffer.from("GIF89a")));
  await says(page, /holds no taught classes/);
  await drop(page, "body", file(bytes));
  await says(page, /Opened mine\.taught: pet \(2 pictures\), drink: hot \(1 picture\)/);
  await page.click("#sample-list button >> nth=1");
  await page.waitForFunction(() => ["pet", "drink: hot"].includes(document.querySelector("#top-label")?.textContent ?? ""));
  assert.ok(await page.isDisabled("#teach-export"), "the file has no pictures");

  const other = withMetadata(readFileSync(MODEL), "note", "the same network in another file");
  await page.setInputFiles("#model-file", { name: "other.onnx", mimeType: "application/octet-stream", buffer: other });
  await page.waitForSelector("#back:visible");
  await page.waitForFunction(() => document.querySelectorAll(".class-card").length === 0);
  await page.setInputFiles("#teach-file", { name: "mine.taught", mimeType: "", buffer: bytes });
  await says(page, /were taught to another model than other\.onnx\. Choose that model first/);
  await page.click("#back");
  await has(page, "pet", 2);
  await end();
});

test("the pictures are exported as class folders that can be trained with", async () => {
  const { page, end } = await open();
  await teachFiles(page);
  const [exported] = await Promise.all([page.waitForEvent("download"), page.click("#teach-export")]);
  assert.equal(exported.suggestedFilename(), "pictures.zip");
  const files = unzip(readFileSync(await exported.path()));
  assert.deepEqual([...files.keys()], ["pictures/pet/0001.jpg", "pictures/pet/0002.jpg", "pictures/drink_ hot/0001.jpg"]);
  for (const [name, bytes] of files) {
    const size = await page.evaluate(async (base64) => {
      const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
      return [picture.width, picture.height];
    }, bytes.toString("base64"));
    assert.ok(size[0] === size[1] && size[0] > 100, `${name}: ${size}`);
  }
  await end();

  // Three pictures are too few for a batch and a test split: each is there many times.
  const folder = path.join(SCRATCH, "exported");
  for (const [name, bytes] of files) {
    for (let i = 0; i < 20; i++) {
      const target = path.join(folder, name.replace(".jpg", `-${i}.jpg`));
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, bytes);
    }
  }
  const found = lsspq(["train", "trainer/recipes/own-pictures.toml", "--data", path.join(folder, "pictures"), "--dry-run"]);
  assert.match(found, /pictures to train on.* 2 classes/);
});

test("on a phone a finger records, the keyboard reaches everything, and axe-core finds nothing serious", async () => {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    const { page, end } = await open({ context: { viewport: { width: 390, height: 844 }, colorScheme, reducedMotion: "reduce", hasTouch: true } });
    await teachFiles(page);
    await play(page, films[0]);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"] }));
    const serious = violations.filter((/** @type {any} */ v) => ["serious", "critical"].includes(v.impact));
    assert.deepEqual(serious.map((/** @type {any} */ v) => `${v.id}: ${v.nodes.map((/** @type {any} */ n) => n.target.join(" ")).join(", ")}`), []);
    await card(page, "pet").getByRole("button", { name: "Hold to record pet" }).tap();
    await says(page, /Recorded 1 picture of pet/);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.equal(wide, 0, "nothing is wider than the phone");
    await page.focus("#teach-name");
    const reached = new Set();
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute("aria-label") || ""));
      if (reached.has("teach-forget")) break;
    }
    for (const name of ["Hold to record pet", "Choose pictures of pet…", "Remove pet", "Remove picture 3 of pet", "teach-undo", "teach-save", "teach-open", "teach-export"]) {
      assert.ok(reached.has(name), `the Tab key does not reach “${name}”, only ${[...reached].join(", ")}`);
    }
    await card(page, "pet").getByRole("button", { name: "Remove picture 3 of pet" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await says(page, /Removed one picture/);
    await end();
  }
});
