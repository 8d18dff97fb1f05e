// What both servers are given: floats of many kinds, counters with resets, gaps, staleness, special values,
// classic and native histograms. Samples lie at odd milliseconds, so that no edge of a query's ranges, which
// are whole seconds apart from its times, ever meets one: which edge belongs to a range changed in 3.0.

import { ProtoWriter } from '../../../src/encoding/proto.ts';
import { snappyEncode } from '../../../src/encoding/snappy.ts';
import type { FloatHistogram } from '../../../src/storage/histogram.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';
import { writeHistogram } from '../../fakes/write-histogram.ts';
import { newRandom, type Random } from './random.ts';

export const STEP_MS = 15_000;
export const STEPS = 280;
const STALE_BYTES = Uint8Array.of(0x02, 0, 0, 0, 0, 0, 0xf0, 0x7f);
const FIXED64 = 1;

/** One sample: a number, a histogram, the staleness marker, or none. */
type Point = number | FloatHistogram | 'stale' | null;

interface DataSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly at: (step: number) => Point;
}

const JOBS = ['api', 'db'];
const INSTANCES = ['i0', 'i1', 'i2'];
const BOUNDS = ['0.1', '0.5', '1', '2.5', '+Inf'];

function counter(random: Random, resetEvery: number, from = 0): (step: number) => Point {
  const values: number[] = [];
  let value = from + Math.floor(random() * 50);
  for (let step = 0; step < STEPS; step++) {
    value = step > 0 && step % resetEvery === 0 ? random() * 3 : value + random() * 20;
    values.push(Math.round(value * 8) / 8);
  }
  return step => values[step]!;
}

function wave(random: Random): (step: number) => Point {
  const values = Array.from(
    { length: STEPS },
    (_, step) => Math.sin(step / (3 + random() * 2)) * 50 + random() * 10 + random() / 1000,
  );
  return step => values[step]!;
}

function plainSeries(random: Random, countersFrom: number): DataSeries[] {
  const all: DataSeries[] = [];
  for (const job of JOBS) {
    for (const [i, instance] of INSTANCES.entries()) {
      const labels = { job, instance, zone: i % 2 === 0 ? 'north' : 'süd' };
      all.push({ labels: { __name__: 'g', ...labels }, at: wave(random) });
      all.push({ labels: { __name__: 'other', ...labels }, at: wave(random) });
      const flips = Array.from({ length: STEPS }, () => Math.floor(random() * 3));
      all.push({ labels: { __name__: 'level', job, instance }, at: step => flips[step]! });
      all.push({
        labels: { __name__: 'info', job, instance, version: `v${i}` },
        at: () => 1,
      });
      for (const code of ['200', '500']) {
        const at = counter(random, 40 + i * 17, countersFrom);
        const gap = i === 1 ? 60 : STEPS;
        all.push({
          labels: { __name__: 'requests_total', ...labels, code },
          at: step => (step >= gap && step < gap + 45 ? null : at(step)),
        });
      }
    }
    all.push({ labels: { __name__: 'target', job }, at: wave(random) });
  }
  return all;
}

function oddSeries(random: Random, countersFrom: number): DataSeries[] {
  const shape = wave(random);
  const rising = counter(random, STEPS, countersFrom);
  const specials: [string, Point][] = [
    ['nan', Number.NaN],
    ['inf', Number.POSITIVE_INFINITY],
    ['ninf', Number.NEGATIVE_INFINITY],
    ['zero', 0],
    ['negzero', -0],
    ['big', 1e21],
    ['tiny', 1e-7],
  ];
  return [
    ...specials.map(([kind, value]) => ({
      labels: { __name__: 'special', kind },
      at: () => value,
    })),
    { labels: { __name__: 'sparse' }, at: step => (step % 17 === 0 ? shape(step) : null) },
    { labels: { __name__: 'late', job: 'api' }, at: step => (step > 140 ? shape(step) : null) },
    {
      labels: { __name__: 'gone', job: 'db' },
      at: step => (step < 150 ? rising(step) : step === 150 ? 'stale' : null),
    },
    {
      labels: { __name__: 'flapping', job: 'db' },
      at: step => (step % 30 < 20 ? rising(step) : step % 30 === 20 ? 'stale' : null),
    },
  ];
}

function classicHistograms(random: Random, countersFrom: number): DataSeries[] {
  const all: DataSeries[] = [];
  for (const job of JOBS) {
    let least: ((step: number) => number) | null = null;
    for (const le of BOUNDS) {
      const own = counter(random, STEPS, countersFrom);
      const below = least;
      const at = (step: number): number => Number(own(step)) + (below ? below(step) : 0);
      least = at;
      all.push({ labels: { __name__: 'latency_bucket', job, le }, at });
    }
    all.push({ labels: { __name__: 'latency_count', job }, at: least! });
    all.push({
      labels: { __name__: 'latency_sum', job },
      at: counter(random, STEPS, countersFrom),
    });
  }
  return all;
}

function nativeHistograms(): DataSeries[] {
  return JOBS.map((job, i) => ({
    labels: { __name__: 'native', job },
    at: step => {
      const n = (step % 90) + 1;
      const positiveBuckets = Float64Array.of(n, 2 * n, 3 * n + i, n);
      return histogram({
        counterResetHint: 'unknown',
        schema: 1,
        zeroThreshold: 0.001,
        zeroCount: n,
        count: 8 * n + i,
        sum: 13.5 * n,
        positiveSpans: [
          { offset: 0, length: 2 },
          { offset: 1, length: 2 },
        ],
        positiveBuckets,
        integer: true,
      });
    },
  }));
}

/** Names of the series, by what is in them. */
export const METRICS = {
  gauges: ['g', 'other', 'level', 'target', 'late', 'sparse'],
  counters: ['requests_total', 'gone', 'flapping', 'latency_count'],
  special: 'special',
  buckets: 'latency_bucket',
  native: 'native',
} as const;

/**
 * The whole data as remote-write bodies, in time order. `startMs` is a whole minute; counters begin near
 * `countersFrom`.
 */
export function writeBodies(startMs: number, countersFrom: number): Uint8Array[] {
  const random = newRandom(20_240_229);
  const all = [
    ...plainSeries(random, countersFrom),
    ...oddSeries(random, countersFrom),
    ...classicHistograms(random, countersFrom),
    ...nativeHistograms(),
  ];
  const bodies: Uint8Array[] = [];
  for (let from = 0; from < STEPS; from += 40) {
    const w = new ProtoWriter();
    for (const [i, series] of all.entries()) {
      const base = startMs + 337 + ((i * 131) % 600);
      w.messageField(1, () => writeSeries(w, series, { base, from, to: from + 40 }));
    }
    bodies.push(snappyEncode(w.finish()));
  }
  return bodies;
}

function writeSeries(
  w: ProtoWriter,
  { labels, at }: DataSeries,
  part: { readonly base: number; readonly from: number; readonly to: number },
): void {
  for (const [name, value] of Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))) {
    w.messageField(1, () => {
      w.stringField(1, name);
      w.stringField(2, value);
    });
  }
  for (let step = part.from; step < Math.min(part.to, STEPS); step++) {
    const point = at(step);
    const time = part.base + step * STEP_MS;
    if (point === null) continue;
    if (typeof point === 'object') writeHistogram(w, 4, time, point);
    else {
      w.messageField(2, () => {
        w.tag(1, FIXED64);
        w.raw(point === 'stale' ? STALE_BYTES : new Uint8Array(Float64Array.of(point).buffer));
        w.int64Field(2, time);
      });
    }
  }
}
