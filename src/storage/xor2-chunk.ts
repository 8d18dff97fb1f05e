// XOR2 chunks (encoding 4): a joint prefix says how time and value have changed, and stale markers leave the
// value they follow alone. Format: Prometheus' tsdb/docs/format/chunks.md.

import { BitReader } from '../encoding/bit-reader.ts';
import { readBitUvarint, readBitVarint } from '../encoding/bit-varint.ts';
import { XorLanes } from '../encoding/xor-lanes.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { SampleColumns } from './samples.ts';
import { isStaleAt, setStale } from './stale.ts';
import { StartTimeReader } from './start-times.ts';

const HEADER_BYTES = 3;
const TWO_32 = 0x1_0000_0000;
/** Prefixes by the number of ones they begin with. */
const SAME = 0;
const CHANGED = 1;
const STEP_13 = 2;
const STEP_20 = 3;
const STEP_64 = 4;
const STALE = 5;

/**
 * Appends the samples with minTime ≤ t ≤ maxTime, bits intact. Throws OutpostError `corrupt` where the data
 * is damaged; `out` then keeps what was read before.
 */
export function decodeXor2(
  data: Uint8Array,
  minTime: number,
  maxTime: number,
  out: SampleColumns,
): void {
  const reader = new Xor2Reader(data);
  while (reader.next()) {
    if (reader.time < minTime) continue;
    if (reader.time > maxTime) return;
    const at = out.length;
    out.push(reader.time, 0);
    reader.copyValue(out.values, at);
    reader.startTime.copy(out, at);
  }
}

class Xor2Reader {
  time = 0;
  readonly startTime: StartTimeReader;
  readonly #reader: BitReader;
  readonly #count: number;
  readonly #value = new XorLanes(1);
  #stale = false;
  #step = 0;
  #read = 0;

  constructor(data: Uint8Array) {
    if (data.length < HEADER_BYTES) throw damaged(`has ${data.length} bytes`);
    this.#count = (data[0]! << 8) | data[1]!;
    this.startTime = new StartTimeReader(data[2]!);
    this.#reader = new BitReader(data, HEADER_BYTES);
    if (this.#count > this.#reader.remaining) {
      throw damaged(`has ${data.length} bytes for ${this.#count} samples`);
    }
  }

  next(): boolean {
    if (this.#read === this.#count) return false;
    this.#stale = false;
    const before = this.time;
    if (this.#read === 0) this.#readFirst();
    else if (this.#read === 1) this.#readSecond();
    else this.#readJoint();
    if (!Number.isSafeInteger(this.time)) throw damaged(`has the time ${this.time}`);
    this.startTime.read(this.#reader, this.#read, this.#read === 0 ? this.time : before);
    this.#read++;
    return true;
  }

  copyValue(values: Float64Array, at: number): void {
    if (this.#stale) setStale(values, at);
    else values[at] = this.#value.values[0]!;
  }

  #readFirst(): void {
    this.time = readBitVarint(this.#reader);
    this.#value.readFirst(this.#reader, 0);
    // The value that later ones are compared with is then still the initial one.
    if (isStaleAt(this.#value.values, 0)) {
      this.#stale = true;
      this.#value.values[0] = 0;
    }
  }

  #readSecond(): void {
    this.#step = readBitUvarint(this.#reader);
    this.time += this.#step;
    this.#readValue();
  }

  #readJoint(): void {
    const kind = this.#reader.ones(STALE);
    if (kind === STEP_13) this.#step += signed(this.#reader.bits(13), 13);
    else if (kind === STEP_20) this.#step += signed(this.#reader.bits(20), 20);
    else if (kind === STEP_64) {
      this.#reader.word();
      this.#step += (this.#reader.high | 0) * TWO_32 + this.#reader.low;
    }
    this.time += this.#step;
    if (kind === SAME) return;
    if (kind === STALE) this.#stale = true;
    else if (kind === CHANGED) this.#readChanged();
    else this.#readValue();
  }

  /** A value that is known to have changed. */
  #readChanged(): void {
    if (this.#reader.bit() === 0) this.#value.readInWindow(this.#reader, 0);
    else this.#value.readNewWindow(this.#reader, 0);
  }

  #readValue(): void {
    const kind = this.#reader.ones(3);
    if (kind === 1) this.#value.readInWindow(this.#reader, 0);
    else if (kind === 2) this.#value.readNewWindow(this.#reader, 0);
    else if (kind === 3) this.#stale = true;
  }
}

function signed(raw: number, width: number): number {
  return raw >= 2 ** (width - 1) ? raw - 2 ** width : raw;
}

function damaged(what: string): OutpostError {
  return new OutpostError('corrupt', `decode xor2 chunk: it ${what}`);
}
