// Chunks of any histograms: what goes in comes out, and no bytes do worse than an error.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { encodeColumns } from '../../src/storage/encode-columns.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import { spansOf } from '../../src/storage/histogram-chunk/bucket-indices.ts';
import { decodeHistograms } from '../../src/storage/histogram-chunk/decode.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { setStale } from '../../src/storage/stale.ts';
import { decodeXor2 } from '../../src/storage/xor2-chunk.ts';
import { contentOf, histogram, writtenCases } from '../fakes/prometheus-cases.ts';

/** What happens to a series from one sample to the next. */
const change = fc.record({
  kind: fc.constantFrom('grow', 'grow', 'grow', 'grow', 'add', 'drop', 'reset', 'schema', 'stale'),
  bucket: fc.integer({ min: -8, max: 12 }),
  negative: fc.boolean(),
  by: fc.oneof(fc.nat(5), fc.nat(2 ** 31), fc.constant(2 ** 40)),
  sum: fc.double({ noNaN: true }),
  step: fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 2 ** 35 })),
});

const series = fc.record({
  float: fc.boolean(),
  gauge: fc.boolean(),
  custom: fc.boolean(),
  start: fc.integer({ min: -(2 ** 40), max: 2 ** 41 }),
  changes: fc.array(change, { minLength: 1, maxLength: 40 }),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
type Series = typeof series extends fc.Arbitrary<infer T> ? T : never;

/** A histogram that lives through changes. */
class Subject {
  readonly #series: Series;
  readonly #buckets = [new Map<number, number>(), new Map<number, number>()];
  #schema: number;
  #bounds = [0.5, 1, 2.25, 1e9];

  constructor(series: Series) {
    this.#series = series;
    this.#schema = series.custom ? -53 : 3;
  }

  apply({ kind, bucket, negative, by, sum }: Change): FloatHistogram | null {
    const { float, gauge, custom } = this.#series;
    const side = this.#buckets[negative && !custom ? 1 : 0]!;
    const index = custom ? Math.abs(bucket) % 5 : bucket;
    const amount = float ? by / 8 : by;
    if (kind === 'stale') return null;
    if (kind === 'reset') for (const one of this.#buckets) one.clear();
    if (kind === 'drop') side.delete([...side.keys()][0]!);
    if (kind === 'schema' && !custom) this.#schema = this.#schema === 3 ? 2 : 3;
    if (kind === 'schema' && custom) this.#bounds = this.#bounds.map(bound => bound + 0.001);
    if (kind === 'add') side.set(index, (side.get(index) ?? 0) + (gauge ? amount : 0));
    if (kind === 'grow') for (const [key, count] of side) side.set(key, count + amount);
    return this.#histogram(sum);
  }

  #histogram(sum: number): FloatHistogram {
    const [positive, negative] = this.#buckets.map(side => {
      const entries = [...side].sort(([a], [b]) => a - b);
      const counts = Float64Array.from(entries, ([, count]) => count);
      return { spans: spansOf(entries.map(([index]) => index)), counts };
    });
    let count = 1;
    for (const side of this.#buckets) for (const one of side.values()) count += one;
    return histogram({
      counterResetHint: this.#series.gauge ? 'gauge' : 'unknown',
      schema: this.#schema,
      zeroCount: 1,
      count,
      sum,
      positiveSpans: positive!.spans,
      positiveBuckets: positive!.counts,
      negativeSpans: negative!.spans,
      negativeBuckets: negative!.counts,
      customValues: Float64Array.from(this.#schema === -53 ? this.#bounds : []),
      ...(this.#series.float ? {} : { integer: true }),
    });
  }
}

function columnsOf(series: Series): SampleColumns {
  const subject = new Subject(series);
  const out = new SampleColumns(4);
  let time = series.start;
  for (const change of series.changes) {
    const sample = subject.apply(change);
    const at = out.length;
    out.push((time += change.step), 0);
    if (sample) (out.histograms ??= [])[at] = sample;
    else setStale(out.values, at);
  }
  return out;
}

function contents(columns: SampleColumns): unknown[] {
  return Array.from({ length: columns.length }, (_, i) => [
    columns.times[i],
    contentOf(columns.histograms?.[i]),
  ]);
}

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(series, one => {
      // Markers before the first histogram would be floats.
      const columns = columnsOf({
        ...one,
        changes: [{ ...one.changes[0]!, kind: 'add' }, ...one.changes],
      });
      const out = new SampleColumns();
      for (const chunk of encodeColumns(columns)) {
        const from = out.length;
        decodeHistograms(chunk, -Infinity, Infinity, out);
        expect([chunk.minTime, chunk.maxTime]).toEqual([
          out.times[from],
          out.times[out.length - 1],
        ]);
      }
      expect(contents(out)).toEqual(contents(columns));
    }),
    { numRuns: 300 },
  );
});

test('within a chunk no counter falls', () => {
  fc.assert(
    fc.property(series, one => {
      for (const chunk of encodeColumns(columnsOf({ ...one, gauge: false }))) {
        if (chunk.encoding === 1) continue;
        const out = new SampleColumns();
        decodeHistograms(chunk, -Infinity, Infinity, out);
        const all = (out.histograms ?? []).filter(one => one !== undefined);
        for (let i = 1; i < all.length; i++) {
          expect(all[i]!.positiveSpans).toBe(all[0]!.positiveSpans);
          expect(all[i]!.count).toBeGreaterThanOrEqual(all[i - 1]!.count);
          all[i]!.positiveBuckets.forEach((count, at) => {
            expect(count).toBeGreaterThanOrEqual(all[i - 1]!.positiveBuckets[at]!);
          });
        }
      }
    }),
    { numRuns: 200 },
  );
});

/** Decodes with every decoder: samples, or an error with the code `corrupt`. */
function survive(data: Uint8Array): void {
  for (const encoding of [2, 3, 4, 5, 6]) {
    const out = new SampleColumns(1);
    try {
      if (encoding === 4) decodeXor2(data, -Infinity, Infinity, out);
      else decodeHistograms({ data, encoding }, -Infinity, Infinity, out);
    } catch (error) {
      expect(error).toBeInstanceOf(OutpostError);
      expect((error as OutpostError).code).toBe('corrupt');
    }
    // A sample takes a bit at least, and so does a bucket of a sample.
    expect(out.length).toBeLessThanOrEqual(data.length * 8);
    let buckets = 0;
    for (const one of out.histograms ?? []) buckets += one?.positiveBuckets.length ?? 0;
    expect(buckets).toBeLessThanOrEqual(data.length * 8);
  }
}

test('any bytes are samples or corrupt', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survive), { numRuns: 1000 });
});

test('damaged chunks are samples or corrupt', () => {
  const chunks = writtenCases('int', 'float', 'intST', 'floatST', 'xor2').flatMap(({ bytes }) =>
    bytes.map(hex => Buffer.from(hex, 'hex')),
  );
  const damage = fc.record({
    chunk: fc.nat(chunks.length - 1),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(damage, ({ chunk, cut, flips }) => {
      const whole = chunks[chunk]!;
      const data = Uint8Array.from(whole.subarray(0, Math.ceil(whole.length * cut)));
      for (const [at, mask] of flips) if (data.length > 0) data[at % data.length]! ^= mask;
      survive(data);
    }),
    { numRuns: 2000 },
  );
});
