// Samples and the bytes that Prometheus writes for them; see `origin` in the file.

import { readFileSync } from 'node:fs';
import {
  type BucketSpan,
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
} from '../../src/storage/histogram.ts';

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not-reset', 'gauge'];

interface WrittenHistogram {
  readonly hint: number;
  readonly schema: number;
  readonly zt: number;
  readonly zc: number;
  readonly count: number;
  readonly sum: number;
  readonly ps: readonly BucketSpan[];
  readonly ns: readonly BucketSpan[];
  readonly pb: readonly number[];
  readonly nb: readonly number[];
  readonly cv: readonly number[];
}

/** One sample: a float `v` or a histogram `h`, or a staleness marker. */
export interface WrittenSample {
  readonly t: number;
  readonly st?: number;
  readonly ref?: number;
  readonly v?: number;
  readonly stale?: boolean;
  readonly h?: WrittenHistogram;
}

/** Samples of one series, or of one commit, and what became of them, in hex. */
export interface WrittenCase {
  readonly name: string;
  readonly kind: 'int' | 'float' | 'intST' | 'floatST' | 'xor2' | 'walInt' | 'walFloat';
  readonly samples: readonly WrittenSample[];
  readonly bytes: readonly string[];
}

const file = new URL('../src/storage/fixtures/prometheus-histograms.json', import.meta.url);

/** The cases of some kinds. */
export function writtenCases(...kinds: readonly WrittenCase['kind'][]): WrittenCase[] {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: WrittenCase[] };
  return cases.filter(({ kind }) => kinds.includes(kind));
}

/** A sample's histogram, null for a staleness marker. */
export function histogramOf(sample: WrittenSample, integer: boolean): FloatHistogram | null {
  if (!sample.h) return null;
  const { h } = sample;
  return histogram({
    counterResetHint: HINTS[h.hint]!,
    schema: h.schema,
    zeroThreshold: h.zt,
    zeroCount: h.zc,
    count: h.count,
    sum: h.sum,
    positiveSpans: h.ps,
    positiveBuckets: Float64Array.from(h.pb),
    negativeSpans: h.ns,
    negativeBuckets: Float64Array.from(h.nb),
    customValues: Float64Array.from(h.cv),
    ...(integer ? { integer } : {}),
  });
}

/** A histogram with some properties and nothing else in it. */
export function histogram(properties: Partial<FloatHistogram>): FloatHistogram {
  return {
    counterResetHint: 'unknown',
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    positiveSpans: [],
    positiveBuckets: new Float64Array(0),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customValues: new Float64Array(0),
    ...properties,
  };
}

/** What a histogram counts, whatever its spans and hint: populated buckets by index. */
export function contentOf(histogram: FloatHistogram | null | undefined): unknown {
  if (!histogram) return 'stale';
  const { schema, zeroThreshold, zeroCount, count, sum } = histogram;
  return {
    ...{ schema, zeroThreshold, zeroCount, count, sum },
    positive: populated(histogram.positiveSpans, histogram.positiveBuckets),
    negative: populated(histogram.negativeSpans, histogram.negativeBuckets),
    bounds: schema === CUSTOM_BUCKETS_SCHEMA ? [...histogram.customValues] : [],
  };
}

function populated(spans: readonly BucketSpan[], counts: Float64Array): Record<number, number> {
  const out: Record<number, number> = {};
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++, index++, at++) if (counts[at] !== 0) out[index] = counts[at]!;
  }
  return out;
}
