// A disk that can be told to fail: full after so many bytes, short writes, I/O errors.

import { type LogFs, nodeLogFs } from '../../src/tsdb/wal/log-fs.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** The host's file system with faults that tests switch on and off. */
export class FaultyLogFs implements LogFs {
  /** Bytes that may still be written before ENOSPC. */
  freeBytes = Number.POSITIVE_INFINITY;
  /** Most bytes one write call takes. */
  writeBytesMax = Number.POSITIVE_INFINITY;
  /** Codes that calls fail with while set. */
  readonly failing: { open?: string; write?: string; truncate?: string; sync?: string } = {};
  syncs = 0;

  open(path: string): number {
    this.#failIf(this.failing.open);
    return nodeLogFs.open(path);
  }

  write(fd: number, bytes: Uint8Array, position: number): number {
    this.#failIf(this.failing.write);
    const taken = Math.min(bytes.length, this.freeBytes, this.writeBytesMax);
    if (taken === 0) throw systemError('ENOSPC');
    this.freeBytes -= taken;
    return nodeLogFs.write(fd, bytes.subarray(0, taken), position);
  }

  truncate(fd: number, length: number): void {
    this.#failIf(this.failing.truncate);
    nodeLogFs.truncate(fd, length);
  }

  async sync(fd: number): Promise<void> {
    this.#failIf(this.failing.sync);
    this.syncs++;
    await nodeLogFs.sync(fd);
  }

  close(fd: number): void {
    nodeLogFs.close(fd);
  }

  #failIf(code: string | undefined): void {
    if (code !== undefined) throw systemError(code);
  }
}
