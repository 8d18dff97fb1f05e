// Doubles as the XOR of each with the one before it (Gorilla, in Prometheus' variant): `0` for no change,
// `10` and the bits inside the window last used, or `11`, 5 bits of leading zeros, 6 bits of length (64 as 0)
// and the bits. Each lane has a predecessor and a window of its own.

import { OutpostError } from '../lifecycle/errors.ts';
import type { BitReader } from './bit-reader.ts';
import type { BitWriter } from './bit-writer.ts';

const NO_WINDOW = 0xff;
const LEADING_MAX = 31;

/** Reads or writes several sequences of doubles that advance side by side. */
export class XorLanes {
  /** The value each lane is at, bits intact. */
  readonly values: Float64Array;
  readonly #words: Uint32Array;
  readonly #leading: Uint8Array;
  readonly #trailing: Uint8Array;
  readonly #next = new Float64Array(1);
  readonly #nextWords = new Uint32Array(this.#next.buffer);

  constructor(lanes: number) {
    this.values = new Float64Array(lanes);
    this.#words = new Uint32Array(this.values.buffer);
    this.#leading = new Uint8Array(lanes).fill(NO_WINDOW);
    this.#trailing = new Uint8Array(lanes);
  }

  /** Reads a lane's first value: 64 plain bits. */
  readFirst(reader: BitReader, lane: number): void {
    reader.word();
    this.#words[2 * lane] = reader.low;
    this.#words[2 * lane + 1] = reader.high;
  }

  /** Advances a lane by one value. Throws `corrupt` where the bits end or make no window. */
  read(reader: BitReader, lane: number): void {
    if (reader.bit() === 0) return;
    if (reader.bit() === 0) this.readInWindow(reader, lane);
    else this.readNewWindow(reader, lane);
  }

  /** Reads the bits inside the window last used. */
  readInWindow(reader: BitReader, lane: number): void {
    const leading = this.#leading[lane]!;
    if (leading === NO_WINDOW) throw impossible();
    this.#flip(reader, lane, 64 - leading - this.#trailing[lane]!);
  }

  /** Reads a window and the bits inside it. */
  readNewWindow(reader: BitReader, lane: number): void {
    const leading = reader.bits(5);
    const size = reader.bits(6) || 64;
    if (leading + size > 64) throw impossible();
    this.#leading[lane] = leading;
    this.#trailing[lane] = 64 - leading - size;
    this.#flip(reader, lane, size);
  }

  /** Writes a lane's first value, `source[at]`. */
  writeFirst(writer: BitWriter, lane: number, source: Float64Array, at: number): void {
    this.values[lane] = source[at]!;
    writer.word(this.#words[2 * lane + 1]!, this.#words[2 * lane]!);
  }

  /** Advances a lane to `source[at]`. */
  write(writer: BitWriter, lane: number, source: Float64Array, at: number): void {
    this.#next[0] = source[at]!;
    const low = this.#nextWords[0]! ^ this.#words[2 * lane]!;
    const high = this.#nextWords[1]! ^ this.#words[2 * lane + 1]!;
    if (low === 0 && high === 0) {
      writer.bit(0);
      return;
    }
    this.values[lane] = this.#next[0];
    const zeros = high === 0 ? 32 + Math.clz32(low) : Math.clz32(high);
    const leading = Math.min(zeros, LEADING_MAX);
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    const window = this.#leading[lane]!;
    if (window !== NO_WINDOW && leading >= window && trailing >= this.#trailing[lane]!) {
      writer.bits(0b10, 2);
    } else {
      this.#leading[lane] = leading;
      this.#trailing[lane] = trailing;
      writer.bits(0b11, 2);
      writer.bits(leading, 5);
      writer.bits(64 - leading - trailing, 6);
    }
    this.#writeDifference(writer, lane, high, low);
  }

  #writeDifference(writer: BitWriter, lane: number, high: number, low: number): void {
    const trailing = this.#trailing[lane]!;
    const size = 64 - this.#leading[lane]! - trailing;
    if (trailing >= 32) {
      writer.bits(high >>> (trailing - 32), size);
      return;
    }
    const shifted = trailing === 0 ? low : (low >>> trailing) | (high << (32 - trailing));
    if (size > 32) writer.bits(high >>> trailing, size - 32);
    writer.bits(shifted, Math.min(size, 32));
  }

  /** Reads `size` bits that end before the lane's trailing zeros and flips them in its value. */
  #flip(reader: BitReader, lane: number, size: number): void {
    const trailing = this.#trailing[lane]!;
    const high = size > 32 ? reader.bits(size - 32) : 0;
    const low = reader.bits(Math.min(size, 32));
    if (trailing >= 32) {
      this.#words[2 * lane + 1]! ^= low << (trailing - 32);
      return;
    }
    this.#words[2 * lane]! ^= low << trailing;
    const carried = trailing === 0 ? 0 : low >>> (32 - trailing);
    this.#words[2 * lane + 1]! ^= (high << trailing) | carried;
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function impossible(): OutpostError {
  return new OutpostError('corrupt', 'read xor value: its window is impossible');
}
