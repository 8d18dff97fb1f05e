// Series that are held in memory, and sets over lists of them.

import type { Labels } from '../labels/labels.ts';
import { SampleColumns } from './samples.ts';
import type { Chunk, Series, SeriesSet } from './series.ts';

const BATCH_SERIES = 512;

/** Appends samples `from` ≤ i < `to` of `source`, histograms and start times included, bit by bit. */
export function appendColumns(
  out: SampleColumns,
  source: SampleColumns,
  from: number,
  to: number,
): void {
  const at = out.length;
  out.append(source.times, source.values, from, to);
  const { histograms, startTimes } = source;
  if (!histograms && !startTimes) return;
  for (let i = from; i < to; i++) {
    const histogram = histograms?.[i];
    const startTime = startTimes?.[i];
    if (histogram) (out.histograms ??= [])[at + i - from] = histogram;
    if (startTime !== undefined) (out.startTimes ??= [])[at + i - from] = startTime;
  }
}

/** A series whose samples are already decoded. The columns belong to it. */
export class ColumnSeries implements Series {
  readonly labels: Labels;
  readonly #columns: SampleColumns;

  constructor(labels: Labels, columns: SampleColumns) {
    this.labels = labels;
    this.#columns = columns;
  }

  label(name: string): string {
    return this.labels.get(name);
  }

  chunks(): readonly Chunk[] | null {
    return null;
  }

  samples(out: SampleColumns): void {
    appendColumns(out, this.#columns, 0, this.#columns.length);
  }
}

class DetachedSeries extends ColumnSeries {
  readonly #chunks: readonly Chunk[] | null;
  readonly #parts: readonly Series[] | null;

  constructor(series: Series, columns: SampleColumns) {
    super(series.labels, columns);
    this.#chunks = series.chunks()?.map(copyChunk) ?? null;
    this.#parts = series.parts?.()?.map(detachSeries) ?? null;
  }

  override chunks(): readonly Chunk[] | null {
    return this.#chunks;
  }

  parts(): readonly Series[] | null {
    return this.#parts;
  }
}

/** A copy of a series that stays valid when its set moves on. Decodes the samples. */
export function detachSeries(series: Series): Series {
  const columns = new SampleColumns(128);
  series.samples(columns);
  return new DetachedSeries(series, columns);
}

function copyChunk(chunk: Chunk): Chunk {
  return { ...chunk, data: chunk.data.slice() };
}

/** A set over series that stay valid by themselves, in the order given. */
export function listSeriesSet(
  series: readonly Series[],
  warnings: readonly string[] = [],
): SeriesSet {
  let at = 0;
  return {
    warnings,
    lasting: true,
    async next() {
      if (at >= series.length) return null;
      const batch = series.slice(at, at + BATCH_SERIES);
      at += batch.length;
      return batch;
    },
    close() {
      at = series.length;
    },
  };
}

/** A set without series. */
export function emptySeriesSet(warnings: readonly string[] = []): SeriesSet {
  return listSeriesSet([], warnings);
}

/** Reads a set to its end and closes it; the copies stay valid. For small results and tests. */
export async function readSeries(set: SeriesSet): Promise<Series[]> {
  const out: Series[] = [];
  try {
    for (let batch = await set.next(); batch; batch = await set.next()) {
      out.push(...(set.lasting ? batch : batch.map(detachSeries)));
    }
  } finally {
    set.close();
  }
  return out;
}
