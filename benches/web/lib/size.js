/** What a visitor downloads before the first prediction, beside the model. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { OURS, THEIRS } from "./candidates.js";
import { brotli } from "./server.js";

/** Files and their compressed forms. Compressing megabytes as far as brotli goes takes long, so it is kept on disk. */
export class Sizes {
  /**
   * @param {Record<string, string>} folders
   * @param {string} cache
   */
  constructor(folders, cache) {
    this.folders = folders;
    this.cache = cache;
    mkdirSync(cache, { recursive: true });
  }

  /**
   * @param {string} file
   * @returns {Promise<Buffer>}
   */
  async brotli(file) {
    const bytes = await readFile(file);
    const kept = path.join(this.cache, `${createHash("sha256").update(bytes).digest("hex")}.br`);
    if (existsSync(kept)) return readFile(kept);
    const small = brotli(bytes);
    writeFileSync(kept, small);
    return small;
  }
}

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function size({ sizes }) {
  const { pkg, ort } = sizes.folders;
  /** @type {[string, string, string][]} */
  const files = [
    [OURS, "wasm", path.join(pkg, "lsspq_relaxed_bg.wasm")],
    [`${OURS} without relaxed SIMD`, "wasm", path.join(pkg, "lsspq_bg.wasm")],
    [OURS, "JavaScript", path.join(pkg, "lsspq.js")],
    [THEIRS, "wasm", path.join(ort, "ort-wasm-simd-threaded.wasm")],
    [THEIRS, "JavaScript", path.join(ort, "ort.wasm.min.mjs")],
    [THEIRS, "JavaScript beside the wasm", path.join(ort, "ort-wasm-simd-threaded.mjs")],
  ];
  const samples = [];
  for (const [engine, what, file] of files) {
    const bytes = readFileSync(file);
    const forms = { raw: bytes, gzip: gzipSync(bytes, { level: 9 }), brotli: await sizes.brotli(file) };
    for (const [form, { length }] of Object.entries(forms)) {
      samples.push({ network: "any", engine, metric: `${what}, ${form}`, unit: "MB", values: [length / 1e6] });
    }
  }
  return { samples };
}
