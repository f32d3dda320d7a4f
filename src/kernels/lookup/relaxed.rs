//! Looking up with relaxed SIMD, for the module that browsers with it load.

use core::arch::wasm32::*;

/// Look-up of 16 indices below 16.
///
/// One instruction on x86, where `i8x16.swizzle` takes two: it has to give 0 for an index of 16 or more, and `pshufb` does
/// not. What this form gives for such an index is up to the processor, so there must be none: `Lookup::pack` makes
/// indices of four bits, and below 16 both forms give the same everywhere.
#[inline]
#[target_feature(enable = "relaxed-simd")]
pub(super) fn look_up(table: v128, indices: v128) -> v128 {
    i8x16_relaxed_swizzle(table, indices)
}
