// Text on its way to bytes: pieces are written behind each other into one buffer.

/** A piece of a body: text, or the bytes of text, which need to be valid only until the next piece. */
export type Piece = string | Uint8Array;

const FIRST_BYTES = 4096;
/** Bytes of one UTF-16 unit in UTF-8, at most. */
const UNIT_BYTES_MAX = 3;

/** A growing buffer that is given away when it is taken. */
export class BodyChunk {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Piece): void {
    if (typeof piece === 'string') {
      this.#reserve(piece.length * UNIT_BYTES_MAX);
      this.#length += this.#bytes.write(piece, this.#length);
      return;
    }
    this.#reserve(piece.length);
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** What was added since the last time; the caller's from now on. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(Math.max(FIRST_BYTES, this.#length));
    this.#length = 0;
    return taken;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
