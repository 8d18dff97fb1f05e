// What the log asks of the file system, small enough that a test can put a failing disk behind it.

import { closeSync, constants, fsync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** The file operations of a log writer. Failures are Node's system errors. */
export interface LogFs {
  /** Opens for writing, creating the file where it is absent. */
  open(path: string): number;
  /** Writes at `position`; returns how many bytes were taken, which may be fewer than given. */
  write(fd: number, bytes: Uint8Array, position: number): number;
  truncate(fd: number, length: number): void;
  /** Resolves when the file's bytes are on the device. */
  sync(fd: number): Promise<void>;
  close(fd: number): void;
}

/** The host's file system. */
export const nodeLogFs: LogFs = {
  open: path => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666),
  write: (fd, bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
  truncate: (fd, length) => ftruncateSync(fd, length),
  sync: fd =>
    new Promise((resolve, reject) => fsync(fd, error => (error ? reject(error) : resolve()))),
  close: fd => closeSync(fd),
};

/** Writes all of the bytes at `position`, in as many calls as it takes. */
export function writeFully(fs: LogFs, fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const taken = fs.write(fd, bytes.subarray(at), position + at);
    if (taken <= 0) throw new Error('the device takes no more bytes');
    at += taken;
  }
}
