// Pseudo files are read through descriptors that stay open, into one buffer that all files of a plugin
// share. A file that is missing or unreadable says so with the error its caller decides about.

import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ByteScanner } from './byte-scanner.ts';

/** Where the host's pseudo file systems are mounted. */
export interface Roots {
  readonly procfs: string;
  readonly sysfs: string;
  readonly rootfs: string;
  readonly udev: string;
}

/** The usual places. */
export const SYSTEM_ROOTS: Roots = {
  procfs: '/proc',
  sysfs: '/sys',
  rootfs: '/',
  udev: '/run/udev/data',
};

const BUFFER_BYTES = 64 * 1024;
/** /proc/interrupts of a large host is some 5 MiB; what is longer is an error, not a buffer. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Descriptors kept open at once; files beyond are opened for each read. */
const OPEN_FILES_MAX = 512;

/** All files a plugin reads. */
export class Files {
  readonly roots: Roots;
  readonly #scanner = new ByteScanner();
  readonly #files = new Map<string, PseudoFile>();
  #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  #open = 0;

  constructor(roots: Roots) {
    this.roots = roots;
  }

  /** The file at `path` below /proc; it need not exist. */
  proc(path: string): PseudoFile {
    return this.file(join(this.roots.procfs, path));
  }

  /** The file at `path` below /sys; it need not exist. */
  sys(path: string): PseudoFile {
    return this.file(join(this.roots.sysfs, path));
  }

  /** The file at an absolute path, the same object for the same path. */
  file(path: string): PseudoFile {
    let file = this.#files.get(path);
    if (!file) {
      file = new PseudoFile(path, this);
      this.#files.set(path, file);
    }
    return file;
  }

  /** The trimmed text of a small file that is read seldom; null where it cannot be read. */
  text(path: string): string | null {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return null;
    }
  }

  /** The bytes of a small file that is read seldom; null where it cannot be read. */
  bytes(path: string): Uint8Array | null {
    try {
      return readFileSync(path);
    } catch {
      return null;
    }
  }

  /** Entries of a directory in natural order (cpu2 before cpu10); empty where it cannot be read. */
  list(path: string): string[] {
    try {
      return readdirSync(path).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    } catch {
      return [];
    }
  }

  /** Closes a file for good: its device has gone. */
  forget(file: PseudoFile): void {
    file.close();
    this.#files.delete(file.path);
  }

  /** Closes every descriptor. Files can be read again; they are opened anew. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  /** Reads all that `descriptor` has into the shared buffer. For PseudoFile. */
  fill(path: string, descriptor: number): ByteScanner {
    let length = 0;
    // seq_files hand out a page or so at a time; only a read of nothing is the end.
    for (;;) {
      if (length === this.#buffer.length) this.#grow(path);
      const count = readSync(
        descriptor,
        this.#buffer,
        length,
        this.#buffer.length - length,
        length,
      );
      if (count === 0) return this.#scanner.reset(this.#buffer, length);
      length += count;
    }
  }

  /** Counts a descriptor in; false where too many are open already. For PseudoFile. */
  mayKeepOpen(): boolean {
    if (this.#open >= OPEN_FILES_MAX) return false;
    this.#open++;
    return true;
  }

  /** Counts a descriptor out. For PseudoFile. */
  closed(): void {
    this.#open--;
  }

  #grow(path: string): void {
    if (this.#buffer.length >= FILE_BYTES_MAX) {
      throw new RangeError(`read a pseudo file: more than ${FILE_BYTES_MAX} bytes in ${path}`);
    }
    const grown = new Uint8Array(this.#buffer.length * 2);
    grown.set(this.#buffer);
    this.#buffer = grown;
  }
}

/** One pseudo file. */
export class PseudoFile {
  readonly path: string;
  readonly #files: Files;
  #descriptor = -1;

  constructor(path: string, files: Files) {
    this.path = path;
    this.#files = files;
  }

  /**
   * Reads the whole file as it is now. The scanner is shared: it is valid until the next read of any file.
   * Throws Node's system error, ENOENT for a missing file.
   */
  read(): ByteScanner {
    if (this.#descriptor !== -1) {
      try {
        return this.#files.fill(this.path, this.#descriptor);
      } catch (error) {
        this.close();
        // A device that went and came back has a new file behind the same path.
        if (!isSystemError(error, 'ENODEV') && !isSystemError(error, 'ESTALE')) throw error;
      }
    }
    const descriptor = openSync(this.path, 'r');
    if (this.#files.mayKeepOpen()) {
      this.#descriptor = descriptor;
      return this.#files.fill(this.path, descriptor);
    }
    try {
      return this.#files.fill(this.path, descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Like `read`; null where the file does not exist or its device is gone. */
  readIfPresent(): ByteScanner | null {
    try {
      return this.read();
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** The number that is the file's first word; NaN where the file cannot be read or holds none. */
  readNumber(): number {
    try {
      const scanner = this.read();
      return scanner.line() ? scanner.number() : Number.NaN;
    } catch {
      return Number.NaN;
    }
  }

  close(): void {
    if (this.#descriptor === -1) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
    this.#files.closed();
  }
}

/** True for Node's error with this code, such as 'ENOENT'. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** True where the error means: there is no such file, device or process. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENODEV', 'ENXIO', 'ESRCH'].some(code => isSystemError(error, code));
}
