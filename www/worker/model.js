/** The bytes of a model, from the server or from a file, checked before anything reads them. */

import { CodedError, MAX_MODEL_BYTES, MODELS_FOLDER } from "../shared/messages.js";
import { fetchExactly } from "./download.js";

/** @typedef {import("../shared/messages.js").ModelEntry} ModelEntry */
/** @typedef {import("../shared/messages.js").Progress} Progress */

/**
 * A published model: its length and its SHA-256 must be those of the list.
 *
 * @param {ModelEntry} entry
 * @param {AbortSignal} signal
 * @param {(progress: Progress) => void} report
 */
export async function fetchModel(entry, signal, report) {
  checkLength(entry.file, entry.bytes);
  const address = new URL(`../${MODELS_FOLDER}${entry.file}`, import.meta.url);
  const bytes = await fetchExactly(address, entry.bytes, signal, report);
  const sha256 = await hash(bytes);
  if (sha256 !== null && sha256 !== entry.sha256.toLowerCase()) {
    throw new CodedError("wrong-hash", `${entry.file} is not the file that the list of models describes (SHA-256 differs)`);
  }
  return { bytes, sha256 };
}

/**
 * A model of the visitor's own.
 *
 * @param {import("../shared/messages.js").OwnModel} own
 * @param {(progress: Progress) => void} report
 */
export async function readModel({ blob, name }, report) {
  checkLength(name, blob.size);
  report({ loaded: 0, total: blob.size });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  report({ loaded: bytes.length, total: bytes.length });
  return { bytes, sha256: await hash(bytes) };
}

/**
 * @param {string} name
 * @param {number} bytes
 */
function checkLength(name, bytes) {
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new CodedError("not-a-model", `${name} is empty`);
  if (bytes > MAX_MODEL_BYTES) {
    const mib = (/** @type {number} */ b) => Math.round(b / 2 ** 20);
    throw new CodedError("too-large", `${name} has ${mib(bytes)} MiB; at most ${mib(MAX_MODEL_BYTES)} are read`);
  }
}

/**
 * SHA-256 in hexadecimal. Null over plain http from another machine: there browsers offer no hash.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function hash(bytes) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
