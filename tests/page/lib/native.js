/** What the native library says. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { MODEL, ROOT } from "./paths.js";

/** @typedef {{ file: string, predictions: { index: number, label: string, probability: number }[], logits: number[] }} Answer */

/**
 * Classifies with examples/classify.rs.
 *
 * @param {string[]} pictures files, or `--rgba`, `WIDTHxHEIGHT` and a file of raw pixels
 * @returns {Answer[]}
 */
export function classifyNatively(pictures) {
  // Together with the trainer, whose features of shared packages differ: so nothing is compiled that the Rust tests have.
  const build = ["build", "--quiet", "--locked", "--package", "lsspq", "--package", "lsspq-trainer", "--example", "classify"];
  execFileSync("cargo", build, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  const program = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "examples", "classify");
  return JSON.parse(execFileSync(program, [MODEL, ...pictures], { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28 }));
}
