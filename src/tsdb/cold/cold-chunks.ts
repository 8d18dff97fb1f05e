// Reads the chunks of a cold block. Their times are regular or lie in columns that many series share: those
// are fetched together and the last ones stay decoded.

import { LRUCache } from 'lru-cache';
import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { coldDecoder } from '../../kernels/cold.ts';
import { decodeChunk } from '../../storage/chunks.ts';
import { encodeColumns } from '../../storage/encode-columns.ts';
import { lowerBound, SampleColumns } from '../../storage/samples.ts';
import type { Chunk } from '../../storage/series.ts';
import { type ChunkStore, readPayloads, toChunk } from '../block/chunk-store.ts';
import type { TimeInterval } from '../block/tombstones.ts';
import type { SegmentReader } from '../chunks/segment-reader.ts';
import { corrupt } from '../corrupt.ts';
import { offsetOf, type SeriesEntries } from '../index/series-entries.ts';
import { COLD_SAMPLES_MAX, ColdEncoding, TimesKind } from './cold-chunk.ts';

// At eight bytes a time.
const TIMES_CACHED_MAX = 128 * 1024;

/** A chunk of floats whose times are known. */
interface ColdChunk extends Chunk {
  readonly count: number;
  readonly step: number;
  /** Null where they are regular by `step`. */
  readonly times: Float64Array | null;
  /** Where in `data` the values begin. */
  readonly valuesAt: number;
  readonly place: number;
}

/** What a chunk's first bytes say. */
interface Head {
  readonly count: number;
  readonly step: number;
  /** Place of the shared times, −1 for regular ones. */
  readonly timesPlace: number;
  readonly valuesAt: number;
}

/** The chunks of one cold block. */
export class ColdChunks implements ChunkStore {
  readonly sizeBytes: number;
  readonly #segments: SegmentReader;
  readonly #name: string;
  readonly #times = new LRUCache<number, Float64Array>({
    maxSize: TIMES_CACHED_MAX,
    sizeCalculation: times => times.length,
  });
  readonly #regular = new Float64Array(COLD_SAMPLES_MAX);

  /** Owns the segments; `sizeBytes` of their files, `name` for error texts. */
  constructor(segments: SegmentReader, sizeBytes: number, name: string) {
    this.#segments = segments;
    this.sizeBytes = sizeBytes;
    this.#name = name;
  }

  async read(
    entries: SeriesEntries,
    wanted: readonly number[],
    signal?: AbortSignal,
  ): Promise<readonly Chunk[]> {
    const payloads = await readPayloads(this.#segments, entries, wanted, signal);
    const heads = payloads.map((payload, at) =>
      payload[0] === ColdEncoding.floats ? this.#head(payload, entries.places[wanted[at]!]!) : null,
    );
    const columns = await this.#columns(heads, signal);
    return payloads.map((payload, at) => {
      const chunk = toChunk(entries, wanted[at]!, payload);
      const head = heads[at];
      if (!head) return chunk;
      const { timesPlace, count } = head;
      const times = timesPlace < 0 ? null : columns.get(timesPlace)!;
      const place = entries.places[wanted[at]!]!;
      if (times && (times.length !== count || times[0] !== chunk.minTime)) {
        throw this.#corrupt('does not fit the times it refers to', place);
      }
      const { step, valuesAt } = head;
      return { ...chunk, count, step, times, valuesAt, place } satisfies ColdChunk;
    });
  }

  decode(chunk: Chunk, { minTime, maxTime }: TimeInterval, out: SampleColumns): void {
    if (!isCold(chunk)) {
      decodeChunk(chunk, minTime, maxTime, out);
      return;
    }
    const { count } = chunk;
    const times = chunk.times ?? this.#spaced(chunk);
    const from = times[0]! >= minTime ? 0 : lowerBound(times, count, minTime);
    const to =
      times[count - 1]! <= maxTime ? count : lowerBound(times, count, Math.floor(maxTime) + 1);
    if (from >= to) return;
    const decoder = coldDecoder();
    const trouble = decoder.decodeValues(chunk.data, chunk.valuesAt, count);
    if (trouble) throw this.#corrupt(trouble, chunk.place);
    out.append(times, decoder.values, from, to);
  }

  standard(chunks: readonly Chunk[], range: TimeInterval): readonly Chunk[] {
    const columns = new SampleColumns();
    return chunks.flatMap(chunk => {
      if (!isCold(chunk)) return chunk;
      columns.clear();
      this.decode(chunk, ALL_TIMES, columns);
      return encodeColumns(columns).filter(
        ({ minTime, maxTime }) => maxTime >= range.minTime && minTime <= range.maxTime,
      );
    });
  }

  close(): Promise<void> {
    return this.#segments.close();
  }

  #head(payload: Uint8Array, place: number): Head {
    const buffer = new ReadBuffer(payload, 1);
    const count = buffer.uvarint();
    const kind = buffer.u8();
    const number = buffer.uvarint();
    const known = kind === TimesKind.regular || kind === TimesKind.shared;
    if (buffer.error !== null || !known || count < 1 || count > COLD_SAMPLES_MAX) {
      throw this.#corrupt('has an impossible head', place);
    }
    const regular = kind === TimesKind.regular;
    return {
      count,
      step: regular ? number : 0,
      timesPlace: regular ? -1 : number,
      valuesAt: buffer.offset - 1,
    };
  }

  /** The shared times that the chunks refer to, by place. */
  async #columns(
    heads: readonly (Head | null)[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<number, Float64Array>> {
    const found = new Map<number, Float64Array>();
    const missing = new Set<number>();
    for (const head of heads) {
      if (!head || head.timesPlace < 0 || found.has(head.timesPlace)) continue;
      const cached = this.#times.get(head.timesPlace);
      if (cached) found.set(head.timesPlace, cached);
      else missing.add(head.timesPlace);
    }
    if (missing.size === 0) return found;
    const places = [...missing];
    const payloads = await this.#segments.read(
      places,
      places.map(() => 0),
      signal,
    );
    payloads.forEach((payload, i) => {
      const times = this.#decodeTimes(payload, places[i]!);
      this.#times.set(places[i]!, times);
      found.set(places[i]!, times);
    });
    return found;
  }

  #decodeTimes(payload: Uint8Array, place: number): Float64Array {
    const buffer = new ReadBuffer(payload);
    const encoding = buffer.u8();
    const count = buffer.uvarint();
    const known = encoding === ColdEncoding.times && count >= 1 && count <= COLD_SAMPLES_MAX;
    if (buffer.error !== null || !known) throw this.#corrupt('is no column of times', place);
    const decoder = coldDecoder();
    const trouble = decoder.decodeTimes(payload, buffer.offset, count);
    if (trouble) throw this.#corrupt(trouble, place);
    return decoder.times.slice(0, count);
  }

  #spaced({ minTime, count, step }: ColdChunk): Float64Array {
    const times = this.#regular;
    for (let i = 0; i < count; i++) times[i] = minTime + i * step;
    return times;
  }

  #corrupt(what: string, place: number): Error {
    return corrupt(`decode cold chunk: it ${what}`, this.#name, offsetOf(place));
  }
}

const ALL_TIMES: TimeInterval = { minTime: -Infinity, maxTime: Infinity };

function isCold(chunk: Chunk): chunk is ColdChunk {
  return chunk.encoding === ColdEncoding.floats;
}
