/**
 * Measures by a plan and writes what it measured: `node bench.js PLAN RESULT`. `cargo xtask bench web` writes the plan
 * (xtask/src/bench/web) and sums the result up.
 */

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { FLAGS, withPage } from "./lib/browser.js";
import { endurance } from "./lib/endurance.js";
import { first } from "./lib/first.js";
import { kernels } from "./lib/kernels.js";
import { memory } from "./lib/memory.js";
import { serve } from "./lib/server.js";
import { Sizes, size } from "./lib/size.js";
import { speed } from "./lib/speed.js";

/**
 * @typedef {object} Network
 * @property {string} name
 * @property {number} side of the input in pixels
 * @property {string} url of its file
 * @property {string} int8 the file that onnxruntime's quantiser made of it
 * @property {{ name: string, url: string } | null} peer what a user would take instead, of the same input size
 */
/**
 * @typedef {object} Plan
 * @property {("speed" | "first" | "memory" | "size" | "kernels" | "endurance")[]} parts
 * @property {Network[]} networks
 * @property {number} turns of each engine
 * @property {number} visits of each page that is opened with nothing cached
 * @property {number} minutes of endurance
 * @property {string} models the folder behind /models/; its folders pkg and pkg-relaxed hold the library with kernels to call
 */
/** @typedef {{ network: string, engine: string, metric: string, unit: string, values: number[] }} Sample */
/** @typedef {{ network: string, engine: string, metric: string, unit: string, points: [number, number][] }} Series points are minutes and values */
/** @typedef {{ samples?: Sample[], series?: Series[], notes?: string[] }} Findings */
/** @typedef {{ plan: Plan, site: import("./lib/server.js").Site, sizes: Sizes, switchable: boolean }} Bench */

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = path.join(HERE, "../..");
const PARTS = { speed, first, memory, size, kernels, endurance };

const [planFile, resultFile] = process.argv.slice(2);
/** @type {Plan} */
const plan = JSON.parse(readFileSync(planFile, "utf8"));
const folders = {
  page: path.join(HERE, "page"),
  pkg: path.join(ROOT, "pkg"),
  kernels: path.join(plan.models, "pkg"),
  relaxed: path.join(plan.models, "pkg-relaxed"),
  ort: path.join(HERE, "node_modules/onnxruntime-web/dist"),
  shipped: path.join(ROOT, "www/models"),
  models: plan.models,
};
const sizes = new Sizes(folders, path.join(plan.models, "compressed"));
const site = await serve(folders, (file) => sizes.brotli(file));
// A library from before its rewrite has nothing to switch off.
const switchable = readFileSync(path.join(folders.pkg, "lsspq.js"), "utf8").includes("loadFloat");

/** @type {Required<Findings>} */
const all = { samples: [], series: [], notes: [] };
const version = await withPage(async (_, browser) => browser.version());
all.notes.push(`Chromium ${version}, flags ${FLAGS.join(" ")}; V8 as it comes, without flags of its own`);
if (!switchable) all.notes.push("this library cannot switch its rewrite off: no figures of tract alone");
for (const part of plan.parts) {
  console.error(`  ${part}`);
  const found = await PARTS[part]({ plan, site, sizes, switchable });
  all.samples.push(...(found.samples ?? []));
  all.series.push(...(found.series ?? []));
  all.notes.push(...(found.notes ?? []));
}
site.close();
writeFileSync(resultFile, JSON.stringify(all));
