/** What the browser can do. */

/**
 * Whether WebAssembly has 128-bit vectors, without which the classifier does not load: Chrome 91 and Firefox 89 (2021),
 * Safari 16.4 (2023).
 */
export function hasWasmSimd() {
  if (typeof WebAssembly !== "object") return false;
  const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  // One function that returns a vector: v128.const 0.
  const types = [1, 5, 1, 0x60, 0, 1, 0x7b];
  const functions = [3, 2, 1, 0];
  const body = [0, 0xfd, 0x0c, ...new Array(16).fill(0), 0x0b];
  const code = [10, body.length + 2, 1, body.length, ...body];
  return WebAssembly.validate(new Uint8Array([...magic, ...types, ...functions, ...code]));
}

/** Whether a worker can read pixels: Chrome 69, Firefox 105 (2022), Safari 16.4 (2023). */
export function hasWorkerCanvas() {
  return typeof OffscreenCanvas === "function" && typeof createImageBitmap === "function";
}
