// Memory for short-lived copies that is used again and again. A buffer for each would be garbage of tens of
// KiB many times a second, which riddles the process's heap between two collections.

const INITIAL_BYTES = 16 * 1024;
/** More than this is not kept. */
const KEPT_BYTES = 1024 * 1024;

/** Copies that live until the next reset. */
export class Scratch {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  /** A copy of the bytes, good until `reset`. */
  copy(bytes: Uint8Array): Uint8Array {
    const start = this.#length;
    if (start + bytes.length > this.#bytes.length) {
      // Copies that were handed out stay where they are.
      this.#bytes = new Uint8Array(Math.max(bytes.length, this.#bytes.length * 2));
      this.#bytes.set(bytes);
      this.#length = bytes.length;
      return this.#bytes.subarray(0, bytes.length);
    }
    this.#bytes.set(bytes, start);
    this.#length += bytes.length;
    return this.#bytes.subarray(start, this.#length);
  }

  /** Takes back what was handed out. */
  reset(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(INITIAL_BYTES);
  }
}
