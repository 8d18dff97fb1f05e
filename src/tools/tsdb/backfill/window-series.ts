// One window's samples as series to write: in label order, each series' samples by time, one for each
// time. A window is read as often as its samples fill the memory allowed.

import type { Labels } from '../../../labels/labels.ts';
import { encodeColumns } from '../../../storage/encode-columns.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import type { SeriesChunks } from '../../../tsdb/block/block-writer.ts';
import type { SampleSpill, Window } from './sample-spill.ts';
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
    for (let i = 0; i < series.length; i++) counts[series[i]!]!++;
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
  for await (const run of spill.read(window)) {
    for (let i = 0; i < run.series.length; i++) {
      const series = run.series[i]!;
      if (cursors[series] === NOT_IN_PASS) continue;
      const at = cursors[series]!++;
      times[at] = run.times[i]!;
      values[at] = run.values[i]!;
    }
  }
  return { starts, times, values };
}

function* encoded(
  members: Uint32Array,
  { starts, times, values }: Gathered,
  { registry, repeats, onSamples }: WindowSource,
): Generator<SeriesChunks> {
  const columns = new SampleColumns();
  for (let i = 0; i < members.length; i++) {
    const labels = registry.labelsOf(members[i]!);
    columns.clear();
    columns.append(times, values, starts[i]!, starts[i + 1]!);
    arrange(columns, labels, repeats);
    yield { labels, chunks: encodeColumns(columns) };
    onSamples(starts[i + 1]! - starts[i]!);
  }
}

/** Sorts by time and keeps the first sample of each time. */
function arrange(columns: SampleColumns, labels: Labels, repeats: Repeats): void {
  const { length, times, values } = columns;
  if (isAscending(times, length)) return;
  const order = Uint32Array.from({ length }, (_, i) => i);
  order.sort((a, b) => times[a]! - times[b]! || a - b);
  const from = { times: times.slice(0, length), values: values.slice(0, length) };
  const bits = new BigUint64Array(from.values.buffer);
  columns.clear();
  let kept = -1;
  for (const at of order) {
    if (kept >= 0 && from.times[at] === from.times[kept]) {
      if (bits[at] === bits[kept]) repeats.duplicates++;
      else {
        repeats.conflicts++;
        repeats.example ??= { labels, time: from.times[at]! };
      }
      continue;
    }
    columns.append(from.times, from.values, at, at + 1);
    kept = at;
  }
}

function isAscending(times: Float64Array, length: number): boolean {
  for (let i = 1; i < length; i++) if (times[i]! <= times[i - 1]!) return false;
  return true;
}
