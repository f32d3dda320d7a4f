/** Fetching with a count of every byte. */

import { CodedError } from "../shared/messages.js";

/** @typedef {import("../shared/messages.js").Progress} Progress */

/**
 * Asks for a file and refuses everything but the file itself.
 *
 * @param {URL} address
 * @param {AbortSignal} signal
 * @returns {Promise<Response>}
 */
async function open(address, signal) {
  const response = await fetch(address, { signal }).catch((error) => {
    if (signal.aborted) throw error;
    throw new CodedError("unreachable", `${address.pathname} cannot be fetched`);
  });
  if (!response.ok) throw new CodedError("missing", `${address.pathname} is missing (${response.status})`);
  return response;
}

/**
 * The response with every byte counted as it passes. The total is what the server says, unless it compresses: then
 * its length is not that of the bytes that come out.
 *
 * @param {URL} address
 * @param {AbortSignal} signal
 * @param {(progress: Progress) => void} report
 * @returns {Promise<Response>}
 */
export async function fetchCounted(address, signal, report) {
  const response = await open(address, signal);
  const length = Number(response.headers.get("Content-Length"));
  const total = length > 0 && !response.headers.has("Content-Encoding") ? length : null;
  let loaded = 0;
  report({ loaded, total });
  const counter = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      report({ loaded, total });
      controller.enqueue(chunk);
    },
    flush: () => report({ loaded, total: loaded }),
  });
  const headers = { "Content-Type": response.headers.get("Content-Type") ?? "" };
  return new Response(/** @type {ReadableStream} */ (response.body).pipeThrough(counter), { headers });
}

/**
 * All bytes of a file whose length is known beforehand.
 *
 * @param {URL} address
 * @param {number} bytes its length; a longer answer is cut off, not read to its end
 * @param {AbortSignal} signal
 * @param {(progress: Progress) => void} report
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function fetchExactly(address, bytes, signal, report) {
  const response = await open(address, signal);
  const whole = new Uint8Array(bytes);
  let loaded = 0;
  report({ loaded, total: bytes });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    if (loaded + step.value.length > bytes) {
      reader.cancel().catch(() => {});
      throw new CodedError("wrong-length", `${address.pathname} is longer than the ${bytes} bytes in the list of models`);
    }
    whole.set(step.value, loaded);
    loaded += step.value.length;
    report({ loaded, total: bytes });
  }
  if (loaded < bytes) {
    throw new CodedError("wrong-length", `${address.pathname} has ${loaded} bytes, the list of models says ${bytes}`);
  }
  return whole;
}
