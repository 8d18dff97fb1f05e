// `load_with_nhcb`: classic histograms once more as native histograms with custom buckets.

import { type Labels, METRIC_NAME } from '../../src/labels/labels.ts';
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../../src/storage/histogram.ts';
import type { Point, SeriesLine } from './notation.ts';

interface Classic {
  readonly labels: Labels;
  /** By position in the sequence. */
  readonly points: Map<number, ClassicPoint>;
}

interface ClassicPoint {
  readonly buckets: Map<number, number>;
  count: number | null;
  sum: number;
}

/** The native twins of all classic histograms among the series. */
export function nativeTwins(series: readonly SeriesLine[]): SeriesLine[] {
  const found = new Map<string, Classic>();
  for (const line of series) collect(line, found);
  return [...found.values()].map(({ labels, points }) => {
    const length = Math.max(...points.keys()) + 1;
    return {
      labels,
      points: Array.from({ length }, (_, i): Point => {
        const point = points.get(i);
        if (!point) return { kind: 'none' };
        return { kind: 'histogram', histogram: convert(point), hintGiven: false };
      }),
    };
  });
}

function collect({ labels, points }: SeriesLine, found: Map<string, Classic>): void {
  const parts = /^(.*)_(bucket|sum|count)$/.exec(labels.get(METRIC_NAME));
  if (!parts) return;
  const [, name, suffix] = parts;
  const bound = parseBound(labels.get('le'));
  if (suffix === 'bucket' && Number.isNaN(bound)) return;
  const twin = labels.without(['le']).with(METRIC_NAME, name!);
  let classic = found.get(twin.key);
  if (!classic) found.set(twin.key, (classic = { labels: twin, points: new Map() }));
  for (const [i, point] of points.entries()) {
    if (point.kind !== 'float') continue;
    let slot = classic.points.get(i);
    if (!slot) classic.points.set(i, (slot = { buckets: new Map(), count: null, sum: 0 }));
    if (suffix === 'bucket') slot.buckets.set(bound, point.value);
    else if (suffix === 'count') slot.count = point.value;
    else slot.sum = point.value;
  }
}

function parseBound(text: string): number {
  if (text === '') return Number.NaN;
  return text.endsWith('Inf') ? Number.POSITIVE_INFINITY : Number(text);
}

function convert({ buckets, count, sum }: ClassicPoint): FloatHistogram {
  const bounds = [...buckets.keys()].sort((a, b) => a - b);
  const total = count ?? buckets.get(bounds.at(-1)!) ?? 0;
  if (bounds.at(-1) !== Number.POSITIVE_INFINITY) {
    bounds.push(Number.POSITIVE_INFINITY);
    buckets.set(Number.POSITIVE_INFINITY, total);
  }
  let below = 0;
  const counts = bounds.map(bound => {
    const own = buckets.get(bound)! - below;
    below = buckets.get(bound)!;
    return own;
  });
  return {
    counterResetHint: 'unknown',
    schema: CUSTOM_BUCKETS_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count: total,
    sum,
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveBuckets: Float64Array.from(counts),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customValues: Float64Array.from(bounds.slice(0, -1)),
  };
}
