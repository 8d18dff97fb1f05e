// Histograms and exemplars of a remote-write 1.0 request. Few series have them, so they are read one by one
// from the series' bytes when their turn to be stored comes.

import { ProtoReader, WIRE_BYTES } from '../encoding/proto.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Appender, SeriesRef } from '../storage/appender.ts';
import { decodeExemplar } from './exemplar-message.ts';
import { decodeHistogram } from './histogram-message.ts';
import { appendSentMarker } from './stale-marker.ts';
import type { WriteTally } from './write-tally.ts';

const SERIES_EXEMPLARS = 3;
const SERIES_HISTOGRAMS = 4;

/** A series of the request that has more than floats. */
export interface RichSeries {
  readonly ref: SeriesRef;
  /** Floats of the request that come before it. */
  readonly floats: number;
  /** Where its bytes are. */
  readonly start: number;
  readonly length: number;
}

/** Goes through the bytes of one series. */
export class SeriesExtras {
  readonly #reader: ProtoReader;
  readonly #ref: SeriesRef;

  constructor(bytes: Uint8Array, ref: SeriesRef) {
    this.#reader = new ProtoReader(bytes);
    this.#ref = ref;
  }

  /** Appends the next histogram or exemplar; false where there is none. Throws `bad-data`. */
  next(appender: Appender, tally: WriteTally): boolean {
    try {
      return this.#next(appender, tally);
    } catch (error) {
      throw damagedMessage(error);
    }
  }

  #next(appender: Appender, tally: WriteTally): boolean {
    const reader = this.#reader;
    while (reader.next()) {
      if (reader.wireType === WIRE_BYTES && reader.field === SERIES_HISTOGRAMS) {
        const { time, histogram } = decodeHistogram(reader.message());
        if (histogram) appender.appendHistogram(this.#ref, time, histogram);
        else appendSentMarker(appender, this.#ref, time);
        return true;
      }
      if (reader.wireType === WIRE_BYTES && reader.field === SERIES_EXEMPLARS) {
        const exemplar = decodeExemplar(reader.message());
        if (exemplar) appender.appendExemplar(this.#ref, exemplar);
        else tally.exemplarsRefused++;
        return true;
      }
      reader.skip();
    }
    return false;
  }
}

/** What to throw for an error met while reading a message. */
export function damagedMessage(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  const cause = { cause: error };
  return new OutpostError('bad-data', `read the write request: ${error.message}`, cause);
}
