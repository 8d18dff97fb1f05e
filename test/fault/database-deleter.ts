// A process for delete-kill.test.ts: opens a database, appends, deletes and cleans for ever, and says on
// standard output what was acknowledged, after it was: `written <series> <time>`, `deleted <series> <from>
// <to>`. Argument: the directory.

import { randomFillSync } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { openDb } from '../../src/tsdb/db.ts';

const SERIES = 10;
const STEP_MS = 1000;
const BLOCK_RANGE_MS = 60_000;

const db = await openDb(process.argv[2]!, {
  clock: systemClock,
  logger: silentLogger,
  registry: new Registry(),
  fillRandom: bytes => void randomFillSync(bytes),
  blockRangeMs: BLOCK_RANGE_MS,
  logSegmentBytes: 64 * 1024,
  retentionMs: 0,
  compactedRangeMaxMs: 9 * BLOCK_RANGE_MS,
  futureMs: 1e12,
  outOfOrderMs: 0,
});

async function append(time: number): Promise<void> {
  const appender = db.appender();
  for (let s = 0; s < SERIES; s++) {
    const ref = appender.series(Labels.fromObject({ __name__: 'written', s: String(s) }));
    appender.append(ref, time, time % 100_003);
  }
  const { stored } = await appender.commit();
  if (stored === SERIES) writeSync(1, `written ${time}\n`);
}

async function remove(series: number, from: number, to: number): Promise<void> {
  await db.delete(from, to, [new Matcher('=', 's', String(series))]);
  writeSync(1, `deleted ${series} ${from} ${to}\n`);
}

const start = Math.max(db.maxTime, 1_700_000_000_000) + STEP_MS;
writeSync(1, 'ready\n');
let work: Promise<void> | null = null;
for (let time = start, n = 0; ; time += STEP_MS, n++) {
  await append(time);
  if (n % 7 === 3) {
    // Some of it lies in blocks, some in the head.
    const from = time - ((n * 7919) % 400) * STEP_MS;
    await remove(n % SERIES, from, from + ((n * 31) % 30) * STEP_MS);
  }
  if (n % 20 === 0) {
    work ??= db
      .maintain()
      .then(() => db.cleanTombstones())
      .finally(() => (work = null));
  }
  await new Promise(resolve => setImmediate(resolve));
}
