// Quantiles of plain numbers.

/** Sorts in place, ascending with NaN first, and returns the array. */
export function sortForQuantile(values: Float64Array): Float64Array {
  values.sort();
  // Typed arrays sort NaN to the end; the language counts it as the least.
  let numbers = values.length;
  while (numbers > 0 && Number.isNaN(values[numbers - 1])) numbers--;
  if (numbers < values.length && numbers > 0) {
    values.copyWithin(values.length - numbers, 0, numbers);
    values.fill(Number.NaN, 0, values.length - numbers);
  }
  return values;
}

/** The q-quantile of sorted values, interpolated between neighbours; NaN where there are none. */
export function quantileOf(q: number, sorted: Float64Array): number {
  const count = sorted.length;
  if (count === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const rank = q * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return sorted[lower]! * (1 - weight) + sorted[upper]! * weight;
}
