// Writes the samples of a store as text, series by series in label order, in bounded memory.

import type { Matcher } from '../../labels/matcher.ts';
import { mergeSeriesSets } from '../../storage/merge.ts';
import type { Querier, Queryable } from '../../storage/queryable.ts';
import { SampleColumns } from '../../storage/samples.ts';
import type { Series, SeriesSet } from '../../storage/series.ts';
import type { ProgressSink } from '../progress-sink.ts';
import type { LineFormat } from './series-lines.ts';

/** Samples in one piece of text; a JSON line holds no more. */
const PIECE_SAMPLES = 5000;

/** What to dump. */
export interface DumpOptions {
  /** Unix ms, both inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Series that all matchers of one of the selectors accept; none is everything. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly format: LineFormat;
  /** Takes the text, in pieces that end a line. */
  readonly write: (text: string) => Promise<void> | void;
  readonly progress: ProgressSink;
  readonly signal: AbortSignal;
}

/** What was written and what the format has no words for. */
export interface DumpReport {
  series: number;
  samples: number;
  /** Histogram samples that the format cannot carry. */
  histogramsLeftOut: number;
}

/** Dumps a store. The signal's abortion throws its reason. */
export async function dumpStore(store: Queryable, options: DumpOptions): Promise<DumpReport> {
  const { format, write, progress } = options;
  const report: DumpReport = { series: 0, samples: 0, histogramsLeftOut: 0 };
  const columns = new SampleColumns();
  const querier = store.querier(options.minTime, options.maxTime);
  progress.phase('dump', null, 'samples');
  try {
    const set = await selectAll(querier, options);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        await dumpSeries(series, columns, options, report);
        progress.at(report.samples);
      }
    }
    if (format.trailer !== '') await write(format.trailer);
    return report;
  } finally {
    querier.close();
  }
}

async function selectAll(
  querier: Querier,
  { selectors, format, signal }: DumpOptions,
): Promise<SeriesSet> {
  const options = { hints: { sorted: true, labelsOnly: !format.readsSamples }, signal };
  const sets: SeriesSet[] = [];
  for (const matchers of selectors.length > 0 ? selectors : [[]]) {
    sets.push(await querier.select(matchers, options));
  }
  return mergeSeriesSets(sets);
}

async function dumpSeries(
  series: Series,
  columns: SampleColumns,
  { format, write, signal }: DumpOptions,
  report: DumpReport,
): Promise<void> {
  columns.clear();
  if (format.readsSamples) {
    series.samples(columns);
    if (columns.length === 0) return;
  }
  signal.throwIfAborted();
  const leftOut = format.carriesHistograms ? 0 : countHistograms(columns);
  report.series++;
  report.samples += columns.length - leftOut;
  report.histogramsLeftOut += leftOut;
  const pieces = Math.max(1, Math.ceil(columns.length / PIECE_SAMPLES));
  for (let piece = 0; piece < pieces; piece++) {
    const from = piece * PIECE_SAMPLES;
    const to = Math.min(from + PIECE_SAMPLES, columns.length);
    await write(format.lines(series.labels, columns, from, to));
  }
}

function countHistograms({ histograms }: SampleColumns): number {
  let count = 0;
  for (const histogram of histograms ?? []) if (histogram) count++;
  return count;
}
