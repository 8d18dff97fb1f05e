// A remote-write 2.0 request: a table of strings, and series with samples, histograms, exemplars and metadata.
// What is valid is stored, whatever stands beside it. Field numbers: prometheus/prometheus
// prompb/io/prometheus/write/v2/types.proto.

import { ProtoReader, WIRE_BYTES } from '../encoding/proto.ts';
import { snappyDecode } from '../encoding/snappy.ts';
import { METRIC_NAME } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Slicer } from '../lifecycle/slicer.ts';
import type { Appendable, Appender } from '../storage/appender.ts';
import { COMMIT_SAMPLES, EXTRA_SAMPLES } from './commit-parts.ts';
import { FamilyNames } from './family-names.ts';
import { damagedMessage } from './series-extras.ts';
import { decodeSeriesV2, type SeriesV2 } from './series-v2.ts';
import { appendSentMarker } from './stale-marker.ts';
import { Symbols } from './symbols.ts';
import type { WriteTally } from './write-tally.ts';

const REQUEST_SYMBOLS = 4;
const REQUEST_TIMESERIES = 5;
/** An asked-for series costs as much as so many samples. */
const SERIES_SAMPLES = 4;

/** What storing a request takes. */
export interface V2Work {
  readonly appendable: Appendable;
  readonly tally: WriteTally;
  readonly slicer: Slicer;
  readonly limits: { readonly decodedBytesMax: number; readonly samplesMax: number };
}

/** Reads and stores a compressed request. Throws OutpostError; the tally says what was stored until then. */
export async function storeV2(body: Uint8Array, work: V2Work): Promise<void> {
  const bytes = snappyDecode(body, work.limits.decodedBytesMax);
  try {
    await new RequestV2(bytes, work).store();
  } catch (error) {
    throw damagedMessage(error);
  }
}

class RequestV2 {
  readonly #work: V2Work;
  readonly #bytes: Uint8Array;
  readonly #symbols: Symbols;
  readonly #families = new FamilyNames();
  #appender: Appender;
  /** What the appender can take until it is committed. */
  #budget = COMMIT_SAMPLES;
  #samples = 0;

  constructor(bytes: Uint8Array, work: V2Work) {
    this.#work = work;
    this.#bytes = bytes;
    this.#symbols = new Symbols(bytes);
    this.#appender = work.appendable.appender();
  }

  async store(): Promise<void> {
    try {
      const series = this.#outline();
      const reader = new ProtoReader(this.#bytes);
      for (const start of series) {
        reader.at = start;
        this.#take(decodeSeriesV2(reader.message(), this.#symbols));
        if (this.#budget <= 0) await this.#commit();
      }
    } catch (error) {
      this.#appender.rollback();
      throw error;
    }
    this.#work.tally.add(await this.#appender.commit());
  }

  /** Collects the symbols, which may come last; returns where the series are. */
  #outline(): number[] {
    const reader = new ProtoReader(this.#bytes);
    const series: number[] = [];
    while (reader.next()) {
      const { field, wireType, at } = reader;
      if (wireType === WIRE_BYTES && field === REQUEST_SYMBOLS) {
        const end = reader.limit();
        this.#symbols.add(reader.at, end);
        reader.at = end;
      } else {
        if (wireType === WIRE_BYTES && field === REQUEST_TIMESERIES) series.push(at);
        reader.skip();
      }
      if (Math.max(this.#symbols.length, series.length) > this.#work.limits.samplesMax) {
        throw this.#tooMany();
      }
    }
    return series;
  }

  #take(series: SeriesV2): void {
    const { samples, histograms, exemplars } = series;
    this.#samples += samples.length + histograms.length + exemplars.length;
    if (this.#samples > this.#work.limits.samplesMax) throw this.#tooMany();
    const ref = this.#resolve(series);
    if (ref === null) return;
    const appender = this.#appender;
    const { times, values, length } = samples;
    if (length > 0)
      appender.appendColumns(new Uint32Array(length).fill(ref), times, values, length);
    for (const { time, histogram } of histograms) {
      if (histogram) appender.appendHistogram(ref, time, histogram);
      else appendSentMarker(appender, ref, time);
    }
    for (const exemplar of exemplars) {
      if (exemplar) appender.appendExemplar(ref, exemplar);
      else this.#work.tally.exemplarsRefused++;
    }
    this.#budget -= SERIES_SAMPLES + length;
    this.#budget -= EXTRA_SAMPLES * (histograms.length + exemplars.length);
  }

  /** The series' reference; null where it cannot be stored, which is then tallied. */
  #resolve({ labelRefs, samples, histograms, metadata }: SeriesV2): number | null {
    let shown = '';
    try {
      const labels = this.#symbols.labels(labelRefs);
      shown = labels.toString();
      const ref = this.#appender.series(labels);
      if (metadata) {
        const name = this.#families.nameOf(labels.get(METRIC_NAME), metadata);
        if (name !== null) this.#appender.metadata(name, metadata);
      }
      return ref;
    } catch (error) {
      if (!(error instanceof OutpostError)) throw error;
      if (error.code !== 'bad-data' && error.code !== 'limit-exceeded') throw error;
      const reason = error.code === 'bad-data' ? 'invalid-labels' : 'series-limit';
      const count = samples.length + histograms.length;
      this.#work.tally.refuse(reason, count, () => `${shown} (${error.message})`.trimStart());
      return null;
    }
  }

  async #commit(): Promise<void> {
    const { tally, slicer, appendable } = this.#work;
    const appender = this.#appender;
    this.#appender = appendable.appender();
    this.#budget = COMMIT_SAMPLES;
    tally.add(await appender.commit());
    if (slicer.due) await slicer.pause();
  }

  #tooMany(): OutpostError {
    return new OutpostError(
      'limit-exceeded',
      `read the write request: more than ${this.#work.limits.samplesMax} samples, series or symbols in one request; send smaller batches`,
    );
  }
}
