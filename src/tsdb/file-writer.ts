// Writes one file of a block from front to back through a buffer, with running checksums, and flushes it
// to the device before it counts as written.

import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32c } from '../encoding/crc32c.ts';
import { WriteBuffer } from '../encoding/write-buffer.ts';
import { assert } from '../lifecycle/errors.ts';
import { syncDirectory } from './wal/sync-directory.ts';
import { withFile } from './with-file.ts';

const BUFFER_BYTES = 1024 * 1024;

/** A file being written. What is appended to `buffer` reaches the file with the next drain. */
export class FileWriter {
  readonly path: string;
  readonly buffer = new WriteBuffer(64 * 1024);
  readonly #handle: FileHandle;
  #flushed = 0;
  #crc = 0;
  /** Where in the buffer the bytes begin that the checksum has not seen; −1 outside a checksum. */
  #crcFrom = -1;
  #open = true;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Creates the file; it must not exist. */
  static async create(path: string): Promise<FileWriter> {
    return new FileWriter(path, await open(path, 'wx+'));
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#flushed + this.buffer.length;
  }

  /** True when the caller should await `drain` before it appends more. */
  get full(): boolean {
    return this.buffer.length >= BUFFER_BYTES;
  }

  /** Hands the buffer's bytes to the file. */
  async drain(): Promise<void> {
    if (this.#crcFrom >= 0) {
      this.#crc = crc32c(this.buffer.bytes().subarray(this.#crcFrom), this.#crc);
      this.#crcFrom = 0;
    }
    await writeAll(this.#handle, this.buffer.bytes(), this.#flushed);
    this.#flushed += this.buffer.length;
    this.buffer.reset();
  }

  /** Begins a checksum with the next byte. */
  beginChecksum(): void {
    this.#crc = 0;
    this.#crcFrom = this.buffer.length;
  }

  /** Appends the CRC-32C of everything since `beginChecksum`. */
  endChecksum(): void {
    assert(this.#crcFrom >= 0, 'endChecksum without beginChecksum');
    this.buffer.u32(crc32c(this.buffer.bytes().subarray(this.#crcFrom), this.#crc));
    this.#crcFrom = -1;
  }

  /** Overwrites a big-endian u32 written earlier; drained or not. */
  async patchU32(position: number, value: number): Promise<void> {
    if (position >= this.#flushed) this.buffer.setU32(position - this.#flushed, value);
    else {
      const word = new WriteBuffer(4);
      word.u32(value);
      await writeAll(this.#handle, word.bytes(), position);
    }
  }

  /** Fills `target` from bytes already drained. */
  async readBack(target: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < target.length; ) {
      const { bytesRead } = await this.#handle.read(target, at, target.length - at, position + at);
      assert(bytesRead > 0, 'read back what was written');
      at += bytesRead;
    }
  }

  /** Drains, flushes to the device and closes. */
  async finish(): Promise<void> {
    await this.drain();
    await this.#handle.sync();
    await this.close();
  }

  /** Closes without flushing; safe more than once. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/** Replaces a small file so that a crash leaves the old or the new one, never a part. */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.tmp`;
  await withFile(temporary, 'w', async handle => {
    await handle.writeFile(bytes);
    await handle.sync();
  });
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
