// Where plugins make their sockets. The place follows from the data directory, so that what a killed agent
// left behind is found and removed by the next one, which holds the data directory's lock by then.

import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Account } from './accounts.ts';

/** A directory of this agent alone. Nothing is made before it is asked for. */
export class SocketDirectory {
  readonly #path: string;
  readonly #shared: string;
  readonly #uid: number;
  #made = false;

  /**
   * `path` leaves room for a socket's name (107 bytes in all). Plugins of other users cannot enter it where a
   * directory above is private; theirs are below `shared`.
   */
  constructor(path: string, shared: string, uid: number) {
    this.#path = path;
    this.#shared = shared;
    this.#uid = uid;
  }

  /** Makes the directory, empty. Throws `unavailable` where it is somebody else's. */
  open(): void {
    this.#own(this.#path, 0o700);
    for (const name of readdirSync(this.#path)) {
      rmSync(join(this.#path, name), { recursive: true, force: true });
    }
    if (this.#shared !== this.#path) rmSync(this.#shared, { recursive: true, force: true });
    this.#made = true;
  }

  /** The directory for a plugin that runs as `account`, or as the agent where that is null. */
  for(plugin: string, account: Account | null): string {
    if (!this.#made) this.open();
    if (account === null || account.uid === this.#uid) return this.#path;
    this.#own(this.#shared, 0o711);
    const own = join(this.#shared, plugin.replace(/[^\w-]/g, '_'));
    mkdirSync(own, { recursive: true, mode: 0o700 });
    chownSync(own, account.uid, account.gid);
    return own;
  }

  /** Removes everything. */
  close(): void {
    if (!this.#made) return;
    rmSync(this.#path, { recursive: true, force: true });
    rmSync(this.#shared, { recursive: true, force: true });
  }

  #own(path: string, mode: number): void {
    mkdirSync(path, { recursive: true, mode });
    const stats = lstatSync(path);
    // Names in /tmp can be guessed, and somebody may have been there first.
    if (!stats.isDirectory() || stats.uid !== this.#uid) {
      throw new OutpostError(
        'unavailable',
        `make a directory for plugin sockets: it is there and belongs to somebody else: ${path}`,
      );
    }
    chmodSync(path, mode);
  }
}
