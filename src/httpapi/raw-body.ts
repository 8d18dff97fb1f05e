// Bodies of requests, gathered in memory that is used again by the next: a sender of megabytes each second
// would otherwise keep the garbage collector busy. A body is its reader's until it is given back.

import type { IncomingMessage } from 'node:http';
import { errorCodes } from 'fastify';

const BUFFER_BYTES_MIN = 16 * 1024;
/** Buffers longer than this are not kept. */
const KEPT_BYTES_MAX = 1024 * 1024;
const KEPT_MAX = 4;

/** Buffers for bodies. */
export class RawBodies {
  /** The one given back last is the last. */
  readonly #kept: Buffer[] = [];

  /**
   * Reads a request's body. Rejects with fastify's errors where it has more than `bytesMax` bytes or is cut
   * short. `release` is called once the body is not needed any more.
   */
  read(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
    const announced = Number(request.headers['content-length'] ?? Number.NaN);
    if (announced > bytesMax) return Promise.reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    return new Promise((resolve, reject) => {
      let buffer = this.#take(announced > 0 ? announced : BUFFER_BYTES_MIN);
      let length = 0;
      const end = (error: Error | null): void => {
        request.off('data', add).off('end', ended).off('error', end);
        if (error) {
          this.release(buffer);
          reject(error);
        } else resolve(buffer.subarray(0, length));
      };
      const add = (chunk: Buffer): void => {
        const needed = length + chunk.length;
        if (needed > bytesMax) {
          end(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
          return;
        }
        if (needed > buffer.length) buffer = this.#grown(buffer, needed);
        chunk.copy(buffer, length);
        length = needed;
      };
      const ended = (): void => {
        const isCut = !Number.isNaN(announced) && announced !== length;
        end(isCut ? new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH() : null);
      };
      request.on('data', add).on('end', ended).on('error', end);
    });
  }

  /** Takes a body that `read` made back. */
  release(body: Buffer): void {
    if (this.#kept.length >= KEPT_MAX || body.buffer.byteLength > KEPT_BYTES_MAX) return;
    this.#kept.push(Buffer.from(body.buffer));
  }

  #take(bytes: number): Buffer {
    const at = this.#kept.findLastIndex(buffer => buffer.length >= bytes);
    const [kept] = at < 0 ? [] : this.#kept.splice(at, 1);
    if (kept) return kept;
    // Those that are kept are too short: bodies have become longer.
    if (this.#kept.length === KEPT_MAX) this.#kept.shift();
    const size = Math.max(BUFFER_BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes)));
    return Buffer.from(new ArrayBuffer(size > KEPT_BYTES_MAX ? bytes : size));
  }

  #grown(buffer: Buffer, needed: number): Buffer {
    const larger = this.#take(Math.max(needed, buffer.length * 2));
    buffer.copy(larger);
    this.release(buffer);
    return larger;
  }
}
