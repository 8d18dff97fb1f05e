// One window's samples as series to write: in label order, each series' samples by time, one for each
// time. A window is read as often as its samples fill the memory allowed.

import type { Labels } from '../../../labels/labels.ts';
import { encodeColumns } from '../../../storage/encode-columns.ts';
import type { FloatHistogram } from '../../../storage/histogram.ts';
import { sameHistogram } from '../../../storage/histogram-problem.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import type { SeriesChunks } from '../../../tsdb/block/block-writer.ts';
import { HISTOGRAM_FLAG, type SampleSpill, SERIES_MASK, type Window } from './sample-spill.ts';
import type { SeriesRegistry } from './series-registry.ts';

const SAMPLES_AT_ONCE = 2 * 1024 * 1024;
const NOT_IN_PASS = 0xffff_ffff;

/** Samples that were given more than once. */
export interface Repeats {
  /** Equal in time and value. */
  duplicates: number;
  /** Equal in time, other value; the first one given is kept. */
  conflicts: number;
  /** The first conflict. */
  example: { readonly labels: Labels; readonly time: number } | null;
}

/** What the series of a window are made from. */
export interface WindowSource {
  readonly spill: SampleSpill;
  readonly registry: SeriesRegistry;
  /** All series in label order. */
  readonly order: Uint32Array;
  readonly repeats: Repeats;
  /** Told how many samples were encoded, repeated ones included. */
  readonly onSamples: (count: number) => void;
  /** For tests. */
  readonly samplesAtOnce?: number;
}

/** The window's series, for `writeBlock`. */
export async function* windowSeries(
  window: Window,
  source: WindowSource,
): AsyncGenerator<Iterable<SeriesChunks>> {
  const { spill, registry, samplesAtOnce = SAMPLES_AT_ONCE } = source;
  const counts = new Uint32Array(registry.size);
  for await (const { series } of spill.read(window)) {
    for (let i = 0; i < series.length; i++) counts[series[i]! & SERIES_MASK]!++;
  }
  const present = source.order.filter(series => counts[series]! > 0);
  for (let from = 0; from < present.length; ) {
    let to = from + 1;
    let total = counts[present[from]!]!;
    while (to < present.length && total + counts[present[to]!]! <= samplesAtOnce) {
      total += counts[present[to++]!]!;
    }
    const members = present.subarray(from, to);
    yield encoded(members, await gather(window, source, { members, counts, total }), source);
    from = to;
  }
}

interface Gathered {
  readonly starts: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** By index; null where there are none. */
  readonly histograms: (FloatHistogram | undefined)[] | null;
}

/** Puts the members' samples side by side, in the order they were added. */
async function gather(
  window: Window,
  { spill, registry }: WindowSource,
  pass: { members: Uint32Array; counts: Uint32Array; total: number },
): Promise<Gathered> {
  const { members, counts, total } = pass;
  const cursors = new Uint32Array(registry.size).fill(NOT_IN_PASS);
  const starts = new Uint32Array(members.length + 1);
  for (let i = 0; i < members.length; i++) {
    cursors[members[i]!] = starts[i]!;
    starts[i + 1] = starts[i]! + counts[members[i]!]!;
  }
  const times = new Float64Array(total);
  const values = new Float64Array(total);
  let histograms: (FloatHistogram | undefined)[] | null = null;
  for await (const run of spill.read(window)) {
    for (let i = 0; i < run.series.length; i++) {
      const series = run.series[i]! & SERIES_MASK;
      if (cursors[series] === NOT_IN_PASS) continue;
      const at = cursors[series]!++;
      times[at] = run.times[i]!;
      values[at] = run.values[i]!;
      if (run.series[i]! < HISTOGRAM_FLAG) continue;
      histograms ??= new Array(total);
      histograms[at] = await spill.histogram(run.values[i]!);
    }
  }
  return { starts, times, values, histograms };
}

function* encoded(
  members: Uint32Array,
  { starts, times, values, histograms }: Gathered,
  { registry, repeats, onSamples }: WindowSource,
): Generator<SeriesChunks> {
  const columns = new SampleColumns();
  for (let i = 0; i < members.length; i++) {
    const labels = registry.labelsOf(members[i]!);
    columns.clear();
    columns.append(times, values, starts[i]!, starts[i + 1]!);
    columns.histograms = histograms?.slice(starts[i], starts[i + 1]) ?? null;
    arrange(columns, labels, repeats);
    yield { labels, chunks: encodeColumns(columns) };
    onSamples(starts[i + 1]! - starts[i]!);
  }
}

/** Sorts by time and keeps the first sample of each time. */
function arrange(columns: SampleColumns, labels: Labels, repeats: Repeats): void {
  const { length, times, values, histograms } = columns;
  if (isAscending(times, length)) return;
  const order = Uint32Array.from({ length }, (_, i) => i);
  order.sort((a, b) => times[a]! - times[b]! || a - b);
  const from = { times: times.slice(0, length), values: values.slice(0, length), histograms };
  columns.clear();
  if (histograms) columns.histograms = [];
  let kept = -1;
  for (const at of order) {
    if (kept >= 0 && from.times[at] === from.times[kept]) {
      if (isSame(from, at, kept)) repeats.duplicates++;
      else {
        repeats.conflicts++;
        repeats.example ??= { labels, time: from.times[at]! };
      }
      continue;
    }
    columns.append(from.times, from.values, at, at + 1);
    const histogram = histograms?.[at];
    if (histogram) columns.histograms![columns.length - 1] = histogram;
    kept = at;
  }
}

function isSame(
  { values, histograms }: Pick<Gathered, 'values' | 'histograms'>,
  a: number,
  b: number,
): boolean {
  const one = histograms?.[a];
  const other = histograms?.[b];
  if (one || other) return one !== undefined && other !== undefined && sameHistogram(one, other);
  const bits = new BigUint64Array(values.buffer);
  return bits[a] === bits[b];
}

function isAscending(times: Float64Array, length: number): boolean {
  for (let i = 1; i < length; i++) if (times[i]! <= times[i - 1]!) return false;
  return true;
}
