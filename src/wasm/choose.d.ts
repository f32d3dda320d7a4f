
/**
 * The address of the module that this browser runs fastest, beside this file: the one with relaxed SIMD, or the one
 * without. `init()` loads it unless it is told another one; both modules give the same answers.
 */
export function moduleAddress(): URL;
