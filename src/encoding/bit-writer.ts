// Writes what BitReader reads: the highest bit of each byte first.

/** Appends to one buffer that grows; the bits behind the last one written are zero. */
export class BitWriter {
  #bytes: Uint8Array;
  #at = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes begun so far. */
  get length(): number {
    return (this.#at + 7) >>> 3;
  }

  /** A view of what was written; valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  bit(value: number): void {
    this.bits(value, 1);
  }

  /** The lowest `count` ≤ 32 bits of `value`. */
  bits(value: number, count: number): void {
    this.#reserve(count);
    let left = count;
    while (left > 0) {
      const free = 8 - (this.#at & 7);
      const part = Math.min(free, left);
      left -= part;
      this.#bytes[this.#at >>> 3]! |= ((value >>> left) & ((1 << part) - 1)) << (free - part);
      this.#at += part;
    }
  }

  /** 64 bits from their halves. */
  word(high: number, low: number): void {
    this.bits(high, 32);
    this.bits(low, 32);
  }

  /** Overwrites a byte written earlier. */
  setByte(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  #reserve(bits: number): void {
    const needed = (this.#at + bits + 7) >>> 3;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
