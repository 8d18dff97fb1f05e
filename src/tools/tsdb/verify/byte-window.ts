// Reads a file from front to back in small steps through one large buffer.

import type { ByteSource } from '../../../tsdb/byte-source.ts';

const WINDOW_BYTES = 1024 * 1024;

/** A view that moves forward over a source; going back costs a read. */
export class ByteWindow {
  readonly source: ByteSource;
  /** Told the highest offset read so far. */
  readonly #onBytes: (bytes: number) => void;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource, onBytes: (bytes: number) => void) {
    this.source = source;
    this.#onBytes = onBytes;
  }

  /** Bytes from `start` up to `end`, fewer where the source ends. Valid until the next call. */
  async read(start: number, end: number): Promise<Uint8Array> {
    const stop = Math.min(end, this.source.size);
    if (start < this.#start || stop > this.#start + this.#bytes.length) {
      const ahead = Math.min(this.source.size, Math.max(stop, start + WINDOW_BYTES));
      const [bytes] = await this.source.read([{ start, end: Math.max(start, ahead) }]);
      this.#start = start;
      this.#bytes = bytes!;
      this.#onBytes(start);
    }
    return this.#bytes.subarray(start - this.#start, Math.max(start, stop) - this.#start);
  }

  /** Offset of the first byte in the range that is not zero, −1 where all are. */
  async firstNonZero(start: number, end: number): Promise<number> {
    for (let at = start; at < end; at += WINDOW_BYTES) {
      const bytes = await this.read(at, Math.min(end, at + WINDOW_BYTES));
      const found = bytes.findIndex(byte => byte !== 0);
      if (found >= 0) return at + found;
    }
    return -1;
  }
}
