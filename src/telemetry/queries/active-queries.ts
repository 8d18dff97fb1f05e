// The file that says which queries run, for whoever asks after a crash what the process was doing. Its form
// is that of Prometheus (promql/query_logger.go): `[`, then one slot of a thousand bytes per query that may
// run, each empty or a JSON object with a comma. A slot is written with one pwrite into the page cache, which
// outlives the process; nothing is synced, so that a power cut may lose the newest.

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { Logger } from '../logger.ts';

/** Bytes of a slot, its comma included. */
export const SLOT_BYTES = 1000;
const HEAD_BYTES = 1;
/** The largest file that is read back. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export interface ActiveQueriesOptions {
  /** Queries that run at a time; further ones are not noted. */
  readonly concurrencyMax: number;
  readonly now: () => number;
  readonly logger: Logger;
}

/** The journal of the queries that run. */
export class ActiveQueries {
  readonly #fd: number;
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #free: number[];
  readonly #empty = Buffer.alloc(SLOT_BYTES);
  #failed = false;

  /** Tells what an earlier process left unfinished and begins anew. Throws `unavailable`. */
  constructor(path: string, options: ActiveQueriesOptions) {
    const { concurrencyMax, now, logger } = options;
    this.#now = now;
    this.#logger = logger;
    try {
      this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o640);
      const unfinished = readUnfinished(this.#fd);
      if (unfinished.length > 0) {
        logger.warn('these queries did not finish in the last run', {
          queries: JSON.stringify(unfinished),
        });
      }
      ftruncateSync(this.#fd, 0);
      ftruncateSync(this.#fd, HEAD_BYTES + concurrencyMax * SLOT_BYTES);
      writeSync(this.#fd, '[', 0);
    } catch (cause) {
      throw new OutpostError(
        'unavailable',
        `open the journal of running queries: ${path}: ${cause}`,
        {
          cause,
        },
      );
    }
    this.#free = Array.from({ length: concurrencyMax }, (_, i) => concurrencyMax - 1 - i);
  }

  /** Notes a query; the number is for `end`, −1 where there is no room. Never throws. */
  begin(query: string): number {
    const slot = this.#free.pop() ?? -1;
    if (slot >= 0) this.#write(slot, slotOf(query, Math.floor(this.#now() / 1000)));
    return slot;
  }

  end(slot: number): void {
    if (slot < 0) return;
    this.#write(slot, this.#empty);
    this.#free.push(slot);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(slot: number, bytes: Buffer): void {
    try {
      writeSync(this.#fd, bytes, 0, SLOT_BYTES, HEAD_BYTES + slot * SLOT_BYTES);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) {
        this.#logger.warn('the journal of running queries cannot be written', {
          err: String(error),
        });
      }
      this.#failed = true;
    }
  }
}

/** One query as JSON, cut to what a slot holds, filled with zeros. */
function slotOf(query: string, seconds: number): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  for (let length = Math.min(query.length, SLOT_BYTES); ; length = Math.floor(length * 0.9)) {
    const text = JSON.stringify({
      query: query.slice(0, length).toWellFormed(),
      timestamp_sec: seconds,
    });
    if (Buffer.byteLength(text) >= SLOT_BYTES) continue;
    bytes.write(text);
    bytes[SLOT_BYTES - 1] = 0x2c;
    return bytes;
  }
}

/** A query that was running when the file was written last. */
export interface UnfinishedQuery {
  readonly query: string;
  readonly timestamp_sec: number;
}

function readUnfinished(fd: number): UnfinishedQuery[] {
  const { size } = fstatSync(fd);
  if (size === 0 || size > FILE_BYTES_MAX) return [];
  return unfinishedIn(readFileSync(fd));
}

/** What a journal's bytes say was running; slots that cannot be read are passed over. */
export function unfinishedIn(bytes: Uint8Array): UnfinishedQuery[] {
  const found: UnfinishedQuery[] = [];
  for (let at = HEAD_BYTES; at < bytes.length; at += SLOT_BYTES) {
    if (bytes[at] !== 0x7b) continue;
    const slot = Buffer.from(bytes.subarray(at, at + SLOT_BYTES));
    const text = slot.toString('utf8').replace(/[\0,]*$/, '');
    try {
      const { query, timestamp_sec } = JSON.parse(text) as Partial<UnfinishedQuery>;
      if (typeof query === 'string' && typeof timestamp_sec === 'number') {
        found.push({ query, timestamp_sec });
      }
    } catch {
      // A slot that a crash of the host left half written says nothing.
    }
  }
  return found;
}
