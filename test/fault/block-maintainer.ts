// A process for block-jobs.test.ts: opens a database, says so on standard output, and does its maintenance
// with workers, as an agent does. Argument: the directory.

import { randomFillSync } from 'node:crypto';
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { openDb } from '../../src/tsdb/db.ts';

const HOUR_MS = 3_600_000;

const db = await openDb(process.argv[2]!, {
  clock: systemClock,
  logger: silentLogger,
  registry: new Registry(),
  fillRandom: bytes => void randomFillSync(bytes),
  retentionMs: 0,
  compactedRangeMaxMs: 6 * HOUR_MS,
  coldAfterMs: 6 * HOUR_MS,
});
writeSync(1, 'open\n');
await db.maintain();
// The test kills it, at the latest here.
setInterval(() => {}, 1000);
