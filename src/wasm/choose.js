
/** A module of one function, which uses `i8x16.relaxed_swizzle`. */
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // a module of version 1
  ...[1, 5, 1, 96, 0, 1, 123], // a type: nothing to a vector
  ...[3, 2, 1, 0], // a function of that type
  ...[10, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11], // two splats of 0, the instruction, the end
);

/**
 * The address of the module that this browser runs fastest, beside this file. `init()` loads it unless it is told another
 * one; both modules give the same answers.
 *
 * @returns {URL}
 */
export function moduleAddress() {
  // Written out twice, so that bundlers find both files.
  return WebAssembly.validate(RELAXED_SIMD) ? new URL("lsspq_relaxed_bg.wasm", import.meta.url) : new URL("lsspq_bg.wasm", import.meta.url);
}
