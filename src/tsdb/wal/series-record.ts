// Series records: `1 (ref:u64 labels:uvarint (name value)*)*`, strings with their length as uvarint.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { LABELS_PER_SERIES_MAX } from '../../labels/validate.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { RECORD_SERIES } from './record-type.ts';

// Other writers may allow more labels than we take in; this only bounds what a damaged count can ask for.
const LABELS_MAX = LABELS_PER_SERIES_MAX * 16;

/** Strings known by numbers. */
export interface SymbolTexts {
  text(symbol: number): string;
}

/** How many strings of a record are remembered, to be copied where they stand once more. */
const PLACES = 4096;

/** Collects series for one record. */
export class SeriesRecordWriter {
  readonly #buffer = new WriteBuffer(16_384);
  /** The symbol that was last written of those that share a place, and where its bytes start and end. */
  #symbols: Uint32Array | null = null;
  readonly #starts = new Uint32Array(PLACES);
  readonly #ends = new Uint32Array(PLACES);

  get empty(): boolean {
    return this.#buffer.length === 0;
  }

  /** Adds a series; `pairs` is flat, sorted by name. */
  add(ref: number, pairs: readonly string[]): void {
    if (this.empty) this.#buffer.u8(RECORD_SERIES);
    this.#buffer.u64(ref);
    this.#buffer.uvarint(pairs.length / 2);
    for (const text of pairs) this.#buffer.string(text);
  }

  /** Adds a series whose labels are numbers of strings, name before value, sorted by name. */
  addSymbols(ref: number, symbols: Uint32Array, texts: SymbolTexts): void {
    if (this.empty) this.#buffer.u8(RECORD_SERIES);
    this.#buffer.u64(ref);
    this.#buffer.uvarint(symbols.length / 2);
    for (let i = 0; i < symbols.length; i++) this.#symbol(symbols[i]!, texts);
  }

  #symbol(symbol: number, texts: SymbolTexts): void {
    const buffer = this.#buffer;
    this.#symbols ??= new Uint32Array(PLACES);
    const place = symbol & (PLACES - 1);
    // The number is kept with one added: nothing is at a place that has none.
    if (this.#symbols[place] === symbol + 1) {
      buffer.again(this.#starts[place]!, this.#ends[place]!);
      return;
    }
    this.#symbols[place] = symbol + 1;
    this.#starts[place] = buffer.length;
    buffer.string(texts.text(symbol));
    this.#ends[place] = buffer.length;
  }

  /** A view of the record; valid until the next call. */
  bytes(): Uint8Array {
    return this.#buffer.bytes();
  }

  reset(): void {
    this.#symbols = null;
    this.#buffer.reset();
  }
}

/** Hands each series of a record to `visit`, whose `pairs` are its own. Throws `corrupt`. */
export function decodeSeriesRecord(
  record: Uint8Array,
  visit: (ref: number, pairs: string[]) => void,
): void {
  const buffer = new ReadBuffer(record, 1);
  while (buffer.remaining > 0) {
    const ref = buffer.u64();
    const count = buffer.uvarint();
    if (count > LABELS_MAX) throw new OutpostError('corrupt', `series record: ${count} labels`);
    const pairs: string[] = [];
    for (let i = 0; i < count * 2; i++) pairs.push(buffer.string());
    if (buffer.error === null) visit(ref, pairs);
  }
  if (buffer.error !== null) throw new OutpostError('corrupt', `series record: ${buffer.error}`);
}
