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

/**
 * The mean of each column over the three quarters of the rows whose sums are smallest: a row during which the machine did
 * something else does not count. Means and not medians, because a clock that counts in steps longer than what is
 * measured gives single values of one step or none, right only on average.
 *
 * @param {number[][]} rows all of one length
 * @returns {number[]} empty without rows
 */
export function steadyMeans(rows) {
  const sum = (/** @type {number[]} */ values) => values.reduce((total, value) => total + value, 0);
  const kept = [...rows].sort((a, b) => sum(a) - sum(b)).slice(0, Math.ceil(0.75 * rows.length));
  return (kept[0] ?? []).map((_, column) => sum(kept.map((row) => row[column])) / kept.length);
}
