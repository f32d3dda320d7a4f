/** Without a network: the page comes from this device, and a newer version takes over whole or not at all. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CAMERAS, PAGE, launch, noticeOf, ready, sees, visit } from "./lib/browser.js";
import { classifyNatively } from "./lib/native.js";
import { samples } from "./lib/pictures.js";
import { publishedSite } from "./lib/site.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const [file] = samples();
const [{ predictions }] = classifyNatively([file]);

const kept = (/** @type {import("playwright-core").Page} */ page) => page.waitForSelector("body[data-offline=ready]");

test("after one visit the page works with the network off", async () => {
  // Without a network the browser remarks on every file that it asked for in vain.
  const { page, end } = await visit(browser, { offline: true, mayComplain: /ERR_INTERNET_DISCONNECTED|ERR_FAILED/ });
  await ready(page);
  await kept(page);
  await page.context().setOffline(true);
  await page.reload();
  await ready(page);
  await page.setInputFiles("#picture-file", file);
  await sees(page, predictions[0]);
  await page.click("#sample-list button >> nth=1");
  await page.waitForSelector("#stage[data-state=still]");
  assert.match((await page.textContent("#offline")) ?? "", /works without a network/);
  await end();
});

test("a newer version waits, says so, and takes over whole when it is asked to", async (context) => {
  const site = await publishedSite();
  context.after(site.stop);
  const { page, end } = await visit(browser, { offline: true, address: site.address });
  await ready(page);
  await kept(page);
  const strings = await (await fetch(new URL("client/strings.js", PAGE))).text();
  const html = await (await fetch(PAGE)).text();
  site.publish({
    "client/strings.js": strings.replace("What does it see?", "What does it see now?"),
    "index.html": html.replace("<title>", "<title>New: "),
  });
  await page.reload();
  await ready(page);
  assert.match(await noticeOf(page), /newer version/);
  // Until then everything is of the old one, though the server has the new one.
  assert.equal(await page.textContent("h1"), "What does it see?");
  assert.doesNotMatch(await page.title(), /^New/);
  await page.click("#notice-action");
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "What does it see now?");
  assert.match(await page.title(), /^New/);
  await ready(page);
  await kept(page);
  const addresses = await page.evaluate(async () => (await (await caches.open("lsspq")).keys()).map(({ url }) => url.split("?")[0]));
  assert.equal(new Set(addresses).size, addresses.length, "files of the old version are still kept");
  await end();
});

test("an update leaves a running camera alone, also when another tab takes it", async (context) => {
  const [site, browser] = [await publishedSite(), await launch(CAMERAS.two)];
  context.after(() => browser.close());
  context.after(site.stop);
  const { page, end } = await visit(browser, { offline: true, address: `${site.address}?model=cifar10.onnx`, mayComplain: /use-fake/ });
  await ready(page);
  await kept(page);
  await page.click("#start");
  await page.waitForFunction(() => /^\d/.test(document.querySelector("#rate")?.textContent ?? ""));
  const strings = await (await fetch(new URL("client/strings.js", PAGE))).text();
  site.publish({ "client/strings.js": strings.replace("What does it see?", "What does it see now?") });
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  assert.match(await noticeOf(page), /newer version of this page is ready/);

  const other = await page.context().newPage();
  await other.goto(site.address);
  await other.click("#notice-action");
  await other.waitForFunction(() => document.querySelector("h1")?.textContent === "What does it see now?");
  await page.waitForFunction(() => /in another tab/.test(document.querySelector("#notice-words")?.textContent ?? ""));
  await ready(other);
  await other.close();
  // The session that was running is whole: old words, the same camera, and answers to new pictures.
  assert.equal(await page.textContent("h1"), "What does it see?");
  await page.bringToFront();
  const frames = () => page.evaluate(() => /** @type {HTMLVideoElement} */ (document.querySelector("#video")).getVideoPlaybackQuality().totalVideoFrames);
  const before = await frames();
  await page.waitForFunction((before) => /** @type {HTMLVideoElement} */ (document.querySelector("#video")).getVideoPlaybackQuality().totalVideoFrames > before, before);
  assert.equal(await page.getAttribute("#stage", "data-state"), "live");
  await page.setInputFiles("#picture-file", file);
  await sees(page, predictions[0]);
  await page.click("#notice-action");
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "What does it see now?");
  await ready(page);
  await end();
});

test("the page can be installed", async () => {
  const { page, end } = await visit(browser, { offline: true });
  await ready(page);
  await kept(page);
  const session = await page.context().newCDPSession(page);
  const { errors, data } = await session.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const { name, icons } = JSON.parse(data ?? "{}");
  assert.match(name, /^lsspq/);
  for (const { src, sizes, type } of icons) {
    const side = await page.evaluate(async ({ src, type }) => {
      const response = await fetch(src);
      const { width, height } = await createImageBitmap(await response.blob());
      return response.headers.get("Content-Type") === type && width === height ? `${width}x${width}` : "";
    }, { src, type });
    assert.equal(side, sizes, src);
  }
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  // A private window, as every test has, installs nothing.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), []);
  await end();
});

test("a version whose files do not fit together is not installed", async (context) => {
  const site = await publishedSite();
  context.after(site.stop);
  const { page, end } = await visit(browser, { offline: true, address: site.address });
  await ready(page);
  await kept(page);
  // The list is already there, the file itself not yet: as in the middle of an upload.
  site.publish({ "client/no-such-file.js": "" });
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update().catch(() => {});
    const { installing } = registration;
    if (installing) await new Promise((resolve) => (installing.onstatechange = () => installing.state === "redundant" && resolve(null)));
  });
  await page.reload();
  await ready(page);
  assert.ok(await page.isHidden("#notice"));
  await end();
});

test("what is being developed comes from the server whenever it answers", async () => {
  const { page, end } = await visit(browser, { offline: true });
  await ready(page);
  await kept(page);
  await page.reload();
  await ready(page);
  const from = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
  assert.ok(from.length > 10);
  const fresh = await page.evaluate(async () => (await fetch("client/strings.js")).headers.get("Cache-Control"));
  assert.equal(fresh, "no-store");
  await end();
});
