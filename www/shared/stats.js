/** Figures of many measurements. */

/**
 * The value that this share of the numbers does not exceed.
 *
 * @param {number[]} numbers at least one
 * @param {number} share in [0, 1]; 0.5 is the median
 */
export function percentile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}
