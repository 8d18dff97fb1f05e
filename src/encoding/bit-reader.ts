// Reads bits, the highest of each byte first, as Prometheus' chunks are written. 64-bit fields come as two
// halves: a number could not hold them.

import { OutpostError } from '../lifecycle/errors.ts';

/** A cursor over borrowed bytes. Every read throws OutpostError `corrupt` where too few bits are left. */
export class BitReader {
  /** High half of the last `word`. */
  high = 0;
  /** Low half of the last `word`. */
  low = 0;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Starts at byte `offset`. */
  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#at = offset * 8;
    this.#end = bytes.length * 8;
  }

  /** Bits left. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  bit(): number {
    const at = this.#take(1);
    return (this.#bytes[at >>> 3]! >> (7 - (at & 7))) & 1;
  }

  /** The next 1…32 bits as an unsigned number. */
  bits(count: number): number {
    // Four bytes hold 25 bits wherever in the first they begin.
    if (count > 25) return this.bits(count - 16) * 0x1_0000 + this.bits(16);
    const at = this.#take(count);
    const bytes = this.#bytes;
    const byte = at >>> 3;
    const four =
      (bytes[byte]! << 24) |
      ((bytes[byte + 1] ?? 0) << 16) |
      ((bytes[byte + 2] ?? 0) << 8) |
      (bytes[byte + 3] ?? 0);
    return (four << (at & 7)) >>> (32 - count);
  }

  /** The next 64 bits, into `high` and `low`. */
  word(): void {
    this.high = this.bits(32);
    this.low = this.bits(32);
  }

  /** How many ones follow, at most `max` ≤ 8; the zero behind them is consumed where there are fewer. */
  ones(max: number): number {
    const byte = this.#at >>> 3;
    const two = ((this.#bytes[byte] ?? 0) << 24) | ((this.#bytes[byte + 1] ?? 0) << 16);
    const count = Math.min(max, Math.clz32(~(two << (this.#at & 7))));
    this.#take(count < max ? count + 1 : count);
    return count;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) {
      throw new OutpostError(
        'corrupt',
        `read bits: ${count} wanted at bit ${at}, ${this.#end - at} left`,
      );
    }
    this.#at = at + count;
    return at;
  }
}
