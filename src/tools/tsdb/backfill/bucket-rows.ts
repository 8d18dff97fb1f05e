// Native histograms from their populated buckets as intervals. Exponential bounds tell schema and index; any
// others are custom bounds. What an interval cannot tell is lost: empty custom buckets between others join
// into one, and the threshold of an empty zero bucket is the usual one.

import { exponentialBound } from '../../../promql/histogram/buckets.ts';
import {
  type BucketSpan,
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
} from '../../../storage/histogram.ts';
import { spansOf } from '../../../storage/histogram-chunk/bucket-indices.ts';

/** One populated bucket. */
export interface BucketRow {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** A histogram by its populated buckets, from the lowest up. */
export interface HistogramRow {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly BucketRow[];
}

const SCHEMA_MIN = -4;
const SCHEMA_MAX = 8;
// What clients take where nobody sets one: 2^-128.
const ZERO_THRESHOLD = 2 ** -128;
// Bounds are printed so that they read back; servers may differ in the last digit of a root of two.
const TOLERANCE = 1e-12;
const NONE = new Float64Array(0);

/** What the histograms of one series have in common. */
export interface HistogramShape {
  /** All custom bounds; null where the bounds are exponential. */
  readonly customBounds: Float64Array | null;
  /** Of histograms whose buckets do not tell. */
  readonly schema: number;
}

/** The shape that all histograms of a series fit into. */
export function shapeOf(rows: readonly HistogramRow[]): HistogramShape {
  const schemas = rows.map(row => schemaOf(row.buckets));
  if (!schemas.includes(null)) {
    const known = schemas.filter(schema => typeof schema === 'number');
    return { customBounds: null, schema: Math.min(SCHEMA_MAX, ...known) };
  }
  const bounds = new Set<number>();
  for (const { lower, upper } of rows.flatMap(row => row.buckets)) {
    if (Number.isFinite(lower)) bounds.add(lower);
    if (Number.isFinite(upper)) bounds.add(upper);
  }
  return { customBounds: Float64Array.from(bounds).sort(), schema: CUSTOM_BUCKETS_SCHEMA };
}

/** The histogram of a row in the shape of its series. */
export function histogramOf(
  row: HistogramRow,
  shape: HistogramShape,
  counterResetHint: CounterResetHint,
): FloatHistogram {
  const { count, sum, buckets } = row;
  const base = { counterResetHint, count, sum, zeroCount: 0, customValues: NONE };
  if (shape.customBounds) {
    return {
      ...base,
      schema: CUSTOM_BUCKETS_SCHEMA,
      zeroThreshold: 0,
      customValues: shape.customBounds,
      ...side('positive', customIndices(buckets, shape.customBounds)),
      ...side('negative', []),
    };
  }
  const schema = schemaOf(buckets) ?? shape.schema;
  const zero = buckets.find(isZero);
  const indexed = (bound: (row: BucketRow) => number, part: readonly BucketRow[]): Indexed[] =>
    part.map(bucket => ({ index: indexOf(bound(bucket), schema), count: bucket.count }));
  const negative = buckets.filter(bucket => bucket.upper < 0);
  const positive = buckets.filter(bucket => bucket.lower > 0);
  return {
    ...base,
    schema,
    zeroThreshold: zero ? zero.upper : ZERO_THRESHOLD,
    zeroCount: zero?.count ?? 0,
    ...side(
      'positive',
      indexed(({ upper }) => upper, positive),
    ),
    ...side('negative', indexed(({ lower }) => -lower, negative).reverse()),
  };
}

interface Indexed {
  readonly index: number;
  readonly count: number;
}

function side<Name extends 'positive' | 'negative'>(
  name: Name,
  buckets: readonly Indexed[],
): Record<`${Name}Spans`, readonly BucketSpan[]> & Record<`${Name}Buckets`, Float64Array> {
  return {
    [`${name}Spans`]: spansOf(buckets.map(({ index }) => index)),
    [`${name}Buckets`]: Float64Array.from(buckets, ({ count }) => count),
  } as Record<`${Name}Spans`, readonly BucketSpan[]> & Record<`${Name}Buckets`, Float64Array>;
}

function customIndices(buckets: readonly BucketRow[], bounds: Float64Array): Indexed[] {
  const places = new Map(Array.from(bounds, (bound, i) => [bound, i]));
  return buckets.map(({ upper, count }) => ({ index: places.get(upper) ?? bounds.length, count }));
}

function isZero({ lower, upper }: Pick<BucketRow, 'lower' | 'upper'>): boolean {
  return lower === -upper;
}

/** The one schema all buckets fit into; null where there is none, undefined where any would do. */
function schemaOf(buckets: readonly BucketRow[]): number | null | undefined {
  let schema: number | undefined;
  for (const { lower, upper } of buckets) {
    if (isZero({ lower, upper })) continue;
    const near = upper < 0 ? -upper : lower;
    const far = upper < 0 ? -lower : upper;
    // The last bucket is the same in every schema.
    if (near === Number.MAX_VALUE && far === Number.POSITIVE_INFINITY) continue;
    const own = schemaOfBounds(near, far);
    if (own === null || (schema !== undefined && own !== schema)) return null;
    schema = own;
  }
  return schema;
}

function schemaOfBounds(near: number, far: number): number | null {
  if (!(near > 0 && far > near)) return null;
  for (let schema = SCHEMA_MIN; schema <= SCHEMA_MAX; schema++) {
    const index = indexOf(far, schema);
    if (isAt(far, index, schema) && isAt(near, index - 1, schema)) return schema;
  }
  return null;
}

function isAt(bound: number, index: number, schema: number): boolean {
  const exact = exponentialBound(index, schema);
  return exact === bound || Math.abs(exact - bound) <= TOLERANCE * bound;
}

/** The index of the bucket that ends at a bound. */
function indexOf(bound: number, schema: number): number {
  if (bound === Number.POSITIVE_INFINITY) return indexOf(Number.MAX_VALUE, schema) + 1;
  return Math.round(Math.log2(bound) * 2 ** schema);
}
