// Devices that are directories: listed now and then, so that a collection reads files and nothing else.

import { existsSync } from 'node:fs';
import type { Files } from '../sdk/files.ts';
import { Cadence } from './cadence.ts';

/** How late a device that came is seen. */
const LIST_MS = 10_000;

/** How the entries of a directory become rows. */
export interface DirectoryRowsOptions<T> {
  readonly files: Files;
  readonly path: string;
  /** Entries to look at; all without it. */
  readonly wanted?: (name: string) => boolean;
  /** Called once for each entry that came. */
  readonly make: (name: string) => T;
  /** Called once for each entry that went. */
  readonly drop?: (row: T) => void;
  /** Rows beyond are left out. */
  readonly max?: number;
}

/** One value for each entry of a directory. */
export class DirectoryRows<T> {
  readonly #options: DirectoryRowsOptions<T>;
  readonly #cadence = new Cadence(LIST_MS);
  #byName = new Map<string, T>();
  #rows: readonly T[] = [];
  #exists = false;

  constructor(options: DirectoryRowsOptions<T>) {
    this.#options = options;
  }

  /** The rows in natural order of their names; null where there is no such directory. */
  at(time: number): readonly T[] | null {
    if (this.#cadence.due(time)) this.#list();
    return this.#exists ? this.#rows : null;
  }

  #list(): void {
    const { files, path, wanted, make, drop, max } = this.#options;
    this.#exists = existsSync(path);
    const names = this.#exists ? files.list(path).filter(name => wanted?.(name) ?? true) : [];
    const before = this.#byName;
    this.#byName = new Map(
      names.slice(0, max).map(name => [name, before.get(name) ?? make(name)] as const),
    );
    this.#rows = [...this.#byName.values()];
    if (!drop) return;
    for (const [name, row] of before) if (!this.#byName.has(name)) drop(row);
  }
}
