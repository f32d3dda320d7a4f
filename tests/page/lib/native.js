/** What the native library says. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { MODEL, ROOT } from "./paths.js";

/** @typedef {{ file: string, predictions: { index: number, label: string, probability: number }[], logits: number[] }} Answer */

/**
 * Classifies with examples/classify.rs.
 *
 * @param {string[]} pictures files, or `--rgba`, `WIDTHxHEIGHT` and a file of raw pixels
 * @param {string} [model]
 * @returns {Answer[]}
 */
export function classifyNatively(pictures, model = MODEL) {
  const program = built(["--example", "classify"], "examples/classify");
  return JSON.parse(execFileSync(program, [model, ...pictures], { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28 }));
}

/**
 * Runs the trainer's program. Throws, with its words, where it fails.
 *
 * @param {string[]} options
 */
export function lsspq(options) {
  return execFileSync(process.env.LSSPQ_PROGRAM ?? built(["--bin", "lsspq"], "lsspq"), options, { cwd: ROOT, encoding: "utf8" });
}

/**
 * The path of a program that was built just now.
 *
 * @param {string[]} target
 * @param {string} file
 */
function built(target, file) {
  // Library and trainer together, since their features of shared packages differ: so nothing is compiled that the Rust tests have.
  const build = ["build", "--quiet", "--locked", "--package", "lsspq", "--package", "lsspq-trainer", ...target];
  execFileSync("cargo", build, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  return join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", file);
}
