// Heads and databases for phases that measure this process itself.

import { type Clock, systemClock } from '../../src/lifecycle/clock.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { type Db, openDb } from '../../src/tsdb/db.ts';
import type { DbOptions } from '../../src/tsdb/db-options.ts';
import { Head } from '../../src/tsdb/head/head.ts';
import { seeded } from './generator.ts';

export const BLOCK_MS = 7_200_000;

/** A head without a log. */
export function newHead(clock: Clock = systemClock): Head {
  return new Head({
    clock,
    logger: silentLogger,
    registry: new Registry(),
    chunkRangeMs: BLOCK_MS,
    seriesMax: 10_000_000,
    futureMs: 600_000,
  });
}

/** A database as an agent has it, but for the options given. */
export function newDb(dir: string, clock: Clock, options: Partial<DbOptions> = {}): Promise<Db> {
  const random = seeded(11);
  return openDb(dir, {
    clock,
    logger: silentLogger,
    registry: new Registry(),
    fillRandom: bytes => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256;
    },
    ...options,
  });
}

/** What this process holds after full collections, in bytes. */
export interface Held {
  readonly resident: number;
  /** Live objects of the language, and the buffers that they own. */
  readonly live: number;
}

/** How long V8 keeps pages of ended threads for others. */
const POOLED_MS = 10_000;

/** Collects until there is nothing more to give back, then looks. */
export async function heldBytes(): Promise<Held> {
  await new Promise(resolve => setTimeout(resolve, POOLED_MS));
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    // Memory behind buffers is given back by another thread.
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { resident: rss, live: heapUsed + arrayBuffers };
}
