// Log records of series that hold floats and histograms. Readers of a commit take its records one after
// another, so a sample must not stand in a record before that of an older sample of its series.

import type { FloatHistogram } from '../../../storage/histogram.ts';
import {
  type HistogramRecordType,
  HistogramRecordWriter,
  histogramRecordType,
  LoggedHistograms,
} from '../../wal/histogram-record.ts';
import {
  RECORD_CUSTOM_FLOAT_HISTOGRAMS,
  RECORD_CUSTOM_HISTOGRAMS,
  RECORD_FLOAT_HISTOGRAMS,
  RECORD_HISTOGRAMS,
} from '../../wal/record-type.ts';
import { LoggedSamples, SamplesRecordWriter } from '../../wal/samples-record.ts';
import type { StagedSample } from './histogram-batch.ts';
import type { MixedSample } from './histogram-series.ts';

// The order in which Prometheus logs them.
const ORDER: readonly HistogramRecordType[] = [
  RECORD_HISTOGRAMS,
  RECORD_CUSTOM_HISTOGRAMS,
  RECORD_FLOAT_HISTOGRAMS,
  RECORD_CUSTOM_FLOAT_HISTOGRAMS,
];
const FLOATS = -1;

/** A histogram for the log. */
export interface LoggedHistogram {
  readonly ref: number;
  readonly time: number;
  readonly histogram: FloatHistogram;
}

/** The records of the samples, each a copy. */
export function encodeMixedSamples(samples: readonly StagedSample[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  let from = 0;
  // Place of the record that a series' samples have reached in the group from `from` on.
  const reached = new Map<number, number>();
  for (const [i, { slot, sample }] of samples.entries()) {
    const place = placeOf(sample);
    if (place < (reached.get(slot) ?? FLOATS)) {
      encodeGroup(samples.slice(from, i), records);
      reached.clear();
      from = i;
    }
    reached.set(slot, place);
  }
  encodeGroup(samples.slice(from), records);
  return records;
}

function placeOf({ kind, histogram }: MixedSample): number {
  if (kind === 'float') return FLOATS;
  if (histogram) return ORDER.indexOf(histogramRecordType(histogram));
  return ORDER.indexOf(kind === 'integer' ? RECORD_HISTOGRAMS : RECORD_FLOAT_HISTOGRAMS);
}

function encodeGroup(group: readonly StagedSample[], records: Uint8Array[]): void {
  if (group.length === 0) return;
  const floats = encodeFloats(group.filter(({ sample }) => sample.kind === 'float'));
  if (floats) records.push(floats);
  const byPlace = ORDER.map(() => new LoggedHistograms());
  for (const { ref, sample } of group) {
    byPlace[placeOf(sample)]?.push(ref, sample.time, sample.histogram);
  }
  records.push(...encodeByPlace(byPlace));
}

function encodeByPlace(byPlace: readonly LoggedHistograms[]): Uint8Array[] {
  const writer = new HistogramRecordWriter();
  return byPlace.flatMap((logged, place) => {
    const record = writer.encode(ORDER[place]!, logged, () => true);
    return record ? [record.slice()] : [];
  });
}

/** Records of histograms, a copy each; of a series they come by kind, not by time. */
export function encodeHistograms(samples: Iterable<LoggedHistogram>): Uint8Array[] {
  const byPlace = ORDER.map(() => new LoggedHistograms());
  for (const { ref, time, histogram } of samples) {
    byPlace[ORDER.indexOf(histogramRecordType(histogram))]!.push(ref, time, histogram);
  }
  return encodeByPlace(byPlace);
}

function encodeFloats(floats: readonly StagedSample[]): Uint8Array | null {
  const logged = new LoggedSamples();
  logged.clear(floats.length);
  for (const [i, { ref, sample }] of floats.entries()) {
    logged.refs[i] = ref;
    logged.times[i] = sample.time;
    logged.values.set(sample.value, i);
  }
  logged.length = floats.length;
  return new SamplesRecordWriter().encode(logged, () => true)?.slice() ?? null;
}
