// Quantiles and fractions of classic histograms: cumulative counts by upper bound.

/** Differences smaller than this share of their sum are rounding, not data. */
const TOLERANCE = 1e-12;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** How far a histogram had to be bent to become cumulative. */
export interface Repair {
  readonly leastBound: number;
  readonly greatestBound: number;
  readonly greatestDrop: number;
}

/** The buckets of one histogram at one step. Reused: `clear`, `add` in order of bounds, then ask. */
export class ClassicBuckets {
  #bounds: number[] = [];
  #counts: number[] = [];
  /** What `quantile` had to repair, null where nothing. */
  repair: Repair | null = null;

  clear(): void {
    this.#bounds.length = 0;
    this.#counts.length = 0;
    this.repair = null;
  }

  /** Bounds ascend; counts of equal bounds are added up. */
  add(bound: number, count: number): void {
    const last = this.#bounds.length - 1;
    if (last >= 0 && this.#bounds[last] === bound) {
      this.#counts[last]! += count;
      return;
    }
    this.#bounds.push(bound);
    this.#counts.push(count);
  }

  get size(): number {
    return this.#bounds.length;
  }

  get #complete(): boolean {
    return this.#bounds.at(-1) === Number.POSITIVE_INFINITY;
  }

  /** The q-quantile, linear within a bucket; NaN where it cannot be told. */
  quantile(q: number): number {
    if (Number.isNaN(q)) return Number.NaN;
    if (q < 0) return Number.NEGATIVE_INFINITY;
    if (q > 1) return Number.POSITIVE_INFINITY;
    if (!this.#complete) return Number.NaN;
    this.#makeMonotonic();
    const bounds = this.#bounds;
    const counts = this.#counts;
    const last = bounds.length - 1;
    if (last < 1 || counts[last] === 0) return Number.NaN;
    const rank = q * counts[last]!;
    let bucket = 0;
    while (bucket < last && !(counts[bucket]! >= rank)) bucket++;
    if (bucket === last) return bounds[last - 1]!;
    const end = bounds[bucket]!;
    if (bucket === 0) return end <= 0 ? end : end * (rank / counts[0]!);
    const start = bounds[bucket - 1]!;
    const below = counts[bucket - 1]!;
    return start + (end - start) * ((rank - below) / (counts[bucket]! - below));
  }

  /** The share of observations between two values. */
  fraction(lower: number, upper: number): number {
    if (!this.#complete) return Number.NaN;
    const count = this.#counts.at(-1)!;
    if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
    if (lower >= upper) return 0;
    const low = Math.min(this.#rankOf(lower), count);
    const high = Math.min(this.#rankOf(upper), count);
    return (high - low) / count;
  }

  /** Observations below a value. */
  #rankOf(value: number): number {
    const bounds = this.#bounds;
    let below = 0;
    let start = bounds[0]! <= 0 ? Number.NEGATIVE_INFINITY : 0;
    for (let i = 0; i < bounds.length; i++) {
      const end = bounds[i]!;
      if (start >= value) return below;
      if (end > value) {
        if (start === Number.NEGATIVE_INFINITY) return this.#counts[i]!;
        return below + ((this.#counts[i]! - below) * (value - start)) / (end - start);
      }
      below = this.#counts[i]!;
      start = end;
    }
    return Number.POSITIVE_INFINITY;
  }

  #makeMonotonic(): void {
    const counts = this.#counts;
    let before = counts[0]!;
    for (let i = 1; i < counts.length; i++) {
      const count = counts[i]!;
      if (count === before) continue;
      if (almostEqual(before, count)) {
        counts[i] = before;
      } else if (count < before) {
        counts[i] = before;
        this.#noteRepair(this.#bounds[i]!, before - count);
      } else {
        before = count;
      }
    }
  }

  #noteRepair(bound: number, drop: number): void {
    const known = this.repair;
    this.repair = {
      leastBound: Math.min(bound, known?.leastBound ?? bound),
      greatestBound: Math.max(bound, known?.greatestBound ?? bound),
      greatestDrop: Math.max(drop, known?.greatestDrop ?? drop),
    };
  }
}

function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE;
}
