/** The WebAssembly module: loaded once, with its bytes counted. */

import { CodedError } from "../shared/messages.js";
import { fetchCounted } from "./download.js";

/** @typedef {typeof import("../../pkg/lsspq.js")} Library */

const FOLDER = new URL("../pkg/", import.meta.url);

/** How often the library could not be imported. */
let failures = 0;

/**
 * Fetches, compiles and starts the library.
 *
 * @param {AbortSignal} signal
 * @param {(progress: import("../shared/messages.js").Progress) => void} report
 * @returns {Promise<Library>}
 * @throws {CodedError} library-missing, library-broken
 */
export async function startLibrary(signal, report) {
  // At run time, so that a page without the built library can say so instead of failing to load its worker.
  // A worker remembers, by its address, that a module could not be fetched: another attempt needs another address.
  const name = failures === 0 ? "lsspq.js" : `lsspq.js?attempt=${failures + 1}`;
  const library = await import(new URL(name, FOLDER).href).catch((error) => {
    failures += 1;
    throw new CodedError("library-missing", error.message);
  });
  try {
    const response = await fetchCounted(library.moduleAddress(), signal, report);
    // Compiled while it arrives, where the server names the right type.
    await library.default({ module_or_path: response });
  } catch (error) {
    const { code, message } = /** @type {CodedError} */ (error);
    throw new CodedError(code === "missing" || code === "unreachable" ? "library-missing" : "library-broken", message);
  }
  return library;
}
