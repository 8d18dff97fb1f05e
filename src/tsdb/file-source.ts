// Byte sources on this host: an open file, and bytes already in memory.

import { close, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { OutpostError } from '../lifecycle/errors.ts';
import { type ByteRange, type ByteSource, planReads, type ReadPlanLimits } from './byte-source.ts';
import { corrupt } from './corrupt.ts';

// A read in the thread pool costs some 50 µs, as long as copying 64 KiB from the page cache.
const LIMITS: ReadPlanLimits = { gapBytesMax: 32 * 1024, readBytesMax: 4 * 1024 * 1024 };
const CONCURRENCY = 4;

const openFd = promisify(open);
const closeFd = promisify(close);
const statFd = promisify(fstat);

/** A local file. Bytes are read by position, so one open file serves any number of readers. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #fd: number;
  #running = 0;
  #closed = false;
  #idle: (() => void) | null = null;

  private constructor(name: string, size: number, fd: number) {
    this.name = name;
    this.size = size;
    this.#fd = fd;
  }

  /** Opens for reading. The size is taken once: files of a block never grow. */
  static async open(path: string): Promise<FileSource> {
    const fd = await openFd(path, 'r');
    try {
      return new FileSource(path, (await statFd(fd)).size, fd);
    } catch (error) {
      await closeFd(fd);
      throw error;
    }
  }

  async read(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<readonly Uint8Array[]> {
    if (this.#closed) throw new OutpostError('unavailable', `read a closed file: ${this.name}`);
    for (const range of ranges) checkRange(this, range);
    const reads = planReads(ranges, LIMITS);
    const out: Uint8Array[] = new Array(ranges.length);
    this.#running++;
    try {
      for (let i = 0; i < reads.length; i += CONCURRENCY) {
        if (signal?.aborted) throw OutpostError.from(signal.reason);
        const wave = reads.slice(i, i + CONCURRENCY);
        const buffers = await Promise.all(wave.map(({ start, end }) => this.#fetch(start, end)));
        wave.forEach(({ start, serves }, w) => {
          for (const at of serves) {
            const range = ranges[at]!;
            out[at] = buffers[w]!.subarray(range.start - start, range.end - start);
          }
        });
      }
    } finally {
      if (--this.#running === 0) this.#idle?.();
    }
    return out;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A descriptor closed under a running read may by then belong to another file.
    if (this.#running > 0) await new Promise<void>(resolve => (this.#idle = resolve));
    await closeFd(this.#fd);
  }

  #fetch(start: number, end: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(end - start);
    return new Promise((resolve, reject) => {
      const step = (at: number): void => {
        if (at === buffer.length) {
          resolve(buffer);
          return;
        }
        read(this.#fd, buffer, at, buffer.length - at, start + at, (error, count) => {
          if (error) reject(error);
          else if (count === 0)
            reject(corrupt('file is shorter than it was', this.name, start + at));
          else step(at + count);
        });
      };
      step(0);
    });
  }
}

/** Bytes in memory that stand for the part of a file that begins at `base`. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #base: number;

  /** Borrows `bytes`; ranges are offsets in the file, not in `bytes`. */
  constructor(name: string, bytes: Uint8Array, base = 0) {
    this.name = name;
    this.size = base + bytes.length;
    this.#bytes = bytes;
    this.#base = base;
  }

  async read(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<readonly Uint8Array[]> {
    if (signal?.aborted) throw OutpostError.from(signal.reason);
    return ranges.map(range => {
      checkRange(this, range, this.#base);
      return this.#bytes.subarray(range.start - this.#base, range.end - this.#base);
    });
  }

  async close(): Promise<void> {}
}

function checkRange(source: ByteSource, { start, end }: ByteRange, base = 0): void {
  if (start < base || end < start || end > source.size) {
    throw corrupt(`${end - start} bytes wanted of ${source.size}`, source.name, start);
  }
}
