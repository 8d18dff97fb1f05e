// Byte strings as dense numbers. What is looked up in the order in which it was added, as one exposition
// after another is, costs one comparison and no hash.

const FNV_PRIME = 0x01000193;

/** Slots 0…size−1, one for each different string. Holds copies. */
export class ByteTable {
  #size = 0;
  #arena = new Uint8Array(4096);
  /** Where each slot's bytes begin; one more entry ends the last. */
  #offsets = new Uint32Array(65);
  #hashes = new Uint32Array(64);
  /** Slot + 1 by hash; 0 is free. Its length is a power of two. */
  #buckets = new Uint32Array(128);
  #expected = 0;
  readonly #seed: number;

  /** `seed`: any 32 bits that whoever chooses the strings does not know. */
  constructor(seed: number) {
    this.#seed = seed >>> 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#offsets[this.#size]!;
  }

  /** Says that strings will come in order of their slots from the first one on. */
  rewind(): void {
    this.#expected = 0;
  }

  /** The slot of bytes[start, end), −1 where it is not in the table. */
  slotOf(bytes: Uint8Array, start: number, end: number): number {
    const expected = this.#expected;
    if (expected < this.#size && this.#equals(expected, bytes, start, end)) {
      this.#expected = expected + 1;
      return expected;
    }
    const slot = this.#find(this.#hash(bytes, start, end), bytes, start, end);
    if (slot >= 0) this.#expected = slot + 1;
    return slot;
  }

  /** Adds bytes that are not in the table; their slot. */
  add(bytes: Uint8Array, start: number, end: number): number {
    this.#reserve(end - start);
    const slot = this.#size++;
    const from = this.#offsets[slot]!;
    this.#arena.set(bytes.subarray(start, end), from);
    this.#offsets[slot + 1] = from + end - start;
    this.#hashes[slot] = this.#hash(bytes, start, end);
    this.#link(slot);
    this.#expected = slot + 1;
    return slot;
  }

  /** The bytes of a slot; valid until the next `add`. */
  bytesOf(slot: number): Uint8Array {
    return this.#arena.subarray(this.#offsets[slot]!, this.#offsets[slot + 1]!);
  }

  #equals(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#offsets[slot]!;
    const length = end - start;
    if (this.#offsets[slot + 1]! - from !== length) return false;
    const arena = this.#arena;
    // The ends differ more often than the beginnings.
    for (let i = length - 1; i >= 0; i--) if (arena[from + i] !== bytes[start + i]) return false;
    return true;
  }

  #hash(bytes: Uint8Array, start: number, end: number): number {
    let hash = this.#seed ^ (end - start);
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  #find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#buckets.length - 1;
    for (let at = hash & mask; this.#buckets[at] !== 0; at = (at + 1) & mask) {
      const slot = this.#buckets[at]! - 1;
      if (this.#hashes[slot] === hash && this.#equals(slot, bytes, start, end)) return slot;
    }
    return -1;
  }

  #link(slot: number): void {
    const mask = this.#buckets.length - 1;
    let at = this.#hashes[slot]! & mask;
    while (this.#buckets[at] !== 0) at = (at + 1) & mask;
    this.#buckets[at] = slot + 1;
  }

  #reserve(extra: number): void {
    const used = this.#offsets[this.#size]!;
    if (used + extra > this.#arena.length) {
      const arena = new Uint8Array(Math.max(used + extra, this.#arena.length * 2));
      arena.set(this.#arena.subarray(0, used));
      this.#arena = arena;
    }
    if (this.#size < this.#hashes.length) return;
    this.#hashes = grown(this.#hashes, this.#size * 2);
    this.#offsets = grown(this.#offsets, this.#size * 2 + 1);
    this.#buckets = new Uint32Array(this.#size * 4);
    for (let slot = 0; slot < this.#size; slot++) this.#link(slot);
  }
}

function grown(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(length);
  out.set(column);
  return out;
}
