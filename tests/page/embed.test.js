/** For web developers: the ten lines of embed.html work, and pkg/ is a whole npm package. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { CAMERAS, PAGE, launch, visit } from "./lib/browser.js";
import { LABELS } from "./lib/onnx.js";
import { ROOT } from "./lib/paths.js";

test("the embedding example names what the camera shows", async () => {
  const browser = await launch(CAMERAS.two);
  const { page, end } = await visit(browser, { address: new URL("embed.html", PAGE).href, mayComplain: /use-fake/ });
  await page.waitForFunction(() => /** @type {HTMLOutputElement} */ (document.querySelector("#label")).value !== "");
  const label = await page.$eval("#label", (output) => /** @type {HTMLOutputElement} */ (output).value);
  assert.ok(LABELS.includes(label), label);
  await end();
  await browser.close();
});

test("the package has its module, types, README and licence", () => {
  const folder = path.join(ROOT, "pkg");
  const [pack] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  const files = pack.files.map((/** @type {{ path: string }} */ file) => file.path);
  for (const file of ["lsspq.js", "lsspq_bg.wasm", "lsspq_relaxed_bg.wasm", "lsspq.d.ts", "README.md", "LICENSE-MIT", "LICENSE-APACHE"]) assert.ok(files.includes(file), `${file} is missing`);
  assert.match(readFileSync(path.join(folder, "README.md"), "utf8"), /Classifier\.load/);
  const { types, main, type } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  assert.deepEqual([main, types, type], ["lsspq.js", "lsspq.d.ts", "module"]);
});

test("the page uses of the package what it exports, and nothing else", () => {
  const types = readFileSync(path.join(ROOT, "pkg/lsspq.d.ts"), "utf8");
  const scripts = (/** @type {string} */ folder) => {
    const files = /** @type {string[]} */ (readdirSync(path.join(ROOT, "www", folder), { recursive: true }));
    return files.filter((file) => file.endsWith(".js")).map((file) => `${folder}/${file}`);
  };
  // What wasm-bindgen exports for its own glue begins with an underscore.
  for (const file of scripts("worker")) {
    const text = readFileSync(path.join(ROOT, "www", file), "utf8");
    assert.doesNotMatch(text, /__wb|\.memory\b|_bg\.js/, file);
    for (const [, name] of text.matchAll(/\b(?:library|classifier)\??\.(\w+)/g)) {
      assert.match(types, new RegExp(`\\b${name}\\b`), `${file} uses ${name}`);
    }
  }
  // Only the worker runs it; elsewhere it is a name for types.
  for (const file of [...scripts("client"), ...scripts("shared")]) {
    const code = readFileSync(path.join(ROOT, "www", file), "utf8").replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
    assert.doesNotMatch(code, /pkg\/lsspq/, file);
  }
});

test("the embedding example has ten lines of script", () => {
  const [, script] = readFileSync(path.join(ROOT, "www/embed.html"), "utf8").match(/<script type="module">\n([^]*?)\n\s*<\/script>/) ?? [];
  assert.equal(script.split("\n").length, 10);
});
