// Start timestamps beside the samples of XOR2 and newer histogram chunks: a byte says which samples bring one,
// the others keep that of the sample before. Each is the distance from the time of the sample before it (the
// first, from its own), written as a difference of distances. Format: Prometheus' tsdb/docs/format/chunks.md.

import type { BitReader } from '../encoding/bit-reader.ts';
import { readBitVarint } from '../encoding/bit-varint.ts';
import { readVarbitInt } from '../encoding/varbit.ts';
import type { SampleColumns } from './samples.ts';

const FIRST_KNOWN = 0x80;
const CHANGED_FROM = 0x7f;

/** Reads the start timestamps of one chunk, in step with its samples. */
export class StartTimeReader {
  /** Start time of the sample read last, Unix ms; 0 where it has none. */
  time = 0;
  readonly #firstKnown: boolean;
  readonly #from: number;
  #distance = 0;

  /** Takes the chunk's third byte; 0 stands for a chunk without start timestamps. */
  constructor(header: number) {
    this.#firstKnown = (header & FIRST_KNOWN) !== 0;
    this.#from = header & CHANGED_FROM;
  }

  /** Reads what follows sample `index`; `base` is the time of the sample before, of the first its own. */
  read(reader: BitReader, index: number, base: number): void {
    if (index === 0) {
      if (this.#firstKnown) this.time = base - readBitVarint(reader);
      return;
    }
    if (this.#from === 0 || index < this.#from) return;
    const change = readVarbitInt(reader);
    this.#distance = index === this.#from ? change : this.#distance + change;
    this.time = base - this.#distance;
  }

  /** Puts the sample's start time, if it has one, into the columns. */
  copy(out: SampleColumns, at: number): void {
    if (this.time !== 0) (out.startTimes ??= [])[at] = this.time;
  }
}
