// Text on its way to bytes: pieces are written behind each other into one buffer, which all bodies of a
// thread share. Memory outside the heap costs the collector dearly, so it is taken once the length is known.

/** A piece of a body: text, or the bytes of text, which need to be valid only until the next piece. */
export type Piece = string | Uint8Array;

/** A chunk of a long body, and a piece on top. */
const SCRATCH_BYTES = 1280 * 1024;
/** Bytes of one UTF-16 unit in UTF-8, at most. */
const UNIT_BYTES_MAX = 3;
const SHORT_TEXT = 16 * 1024;

let scratch: Buffer | null = null;

/** One chunk. It is filled and taken, or copied, before anything else runs. */
export class BodyChunk {
  #bytes: Buffer;
  #length = 0;

  constructor() {
    scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.#bytes = scratch;
  }

  get length(): number {
    return this.#length;
  }

  /** What was added, valid until another chunk is begun. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  add(piece: Piece): void {
    if (typeof piece === 'string') {
      const isShort = piece.length <= SHORT_TEXT;
      this.#reserve(isShort ? piece.length * UNIT_BYTES_MAX : Buffer.byteLength(piece));
      this.#length += this.#bytes.write(piece, this.#length);
      return;
    }
    this.#reserve(piece.length);
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** A copy of what was added. */
  copy(): Buffer {
    return Buffer.from(this.bytes);
  }

  // What does not fit the shared buffer goes with the chunk that needed it.
  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}
