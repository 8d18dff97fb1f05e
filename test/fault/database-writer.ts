// A process for kill.test.ts: opens a database and appends for ever, while it maintains, deletes, cleans and
// takes snapshots. It writes what was acknowledged to a file, a line after it was; a deletion also before it
// begins. Arguments: the directory, that file, and `alone` where no worker thread is to compact.

import { randomFillSync } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { inProcessJobs } from '../../src/tsdb/block-jobs/block-job.ts';
import { openDb } from '../../src/tsdb/db.ts';
import {
  BLOCK_RANGE_MS,
  EXEMPLAR_SERIES,
  histogramOf,
  isHistogram,
  LATE_MS,
  numberAt,
  SERIES,
  WRITER_OPTIONS,
} from './kill-plan.ts';

const STEP_MS = 2000;
const acknowledgements = openSync(process.argv[3]!, 'w');

const db = await openDb(process.argv[2]!, {
  clock: systemClock,
  logger: silentLogger,
  registry: new Registry(),
  fillRandom: bytes => void randomFillSync(bytes),
  ...WRITER_OPTIONS,
  ...(process.argv[4] === 'alone' && { jobs: inProcessJobs }),
});

/** Batch `n` of series `s` holds three samples whose values tell their place. */
async function append(s: number, time: number): Promise<void> {
  const appender = db.appender();
  const ref = appender.series(Labels.fromObject({ __name__: 'written', s: String(s) }));
  for (let k = 0; k < 3; k++) {
    const number = numberAt(time + k);
    if (isHistogram(s)) appender.appendHistogram(ref, time + k, histogramOf(number, s % 2 === 0));
    else appender.append(ref, time + k, number);
  }
  const inOrder = time > (newest[s] ?? 0);
  if (s < EXEMPLAR_SERIES && inOrder) {
    const labels = Labels.fromObject({ trace: String(time) });
    appender.appendExemplar(ref, { labels, value: numberAt(time), time });
  }
  const { stored, exemplars } = await appender.commit();
  if (stored !== 3) return;
  newest[s] = Math.max(newest[s] ?? 0, time);
  writeSync(acknowledgements, `${s} ${time} ${exemplars}\n`);
}

/** Deletes what is old enough that nothing comes late there any more. */
async function deleteSome(s: number, time: number): Promise<void> {
  const to = time - 3 * BLOCK_RANGE_MS;
  const from = to - BLOCK_RANGE_MS / 4;
  writeSync(acknowledgements, `deleting ${s} ${from} ${to}\n`);
  await db.delete(from, to, [new Matcher('=', 's', String(s))]);
  writeSync(acknowledgements, `deleted ${s} ${from} ${to}\n`);
  if (s % 4 === 0) await db.cleanTombstones();
}

async function takeSnapshot(): Promise<void> {
  const name = `s${performance.timeOrigin + performance.now()}`;
  await db.snapshot(name);
  writeSync(acknowledgements, `snapshot ${name}\n`);
}

const newest: number[] = [];
const start = Math.max(db.maxTime, 1_700_000_000_000) + STEP_MS;
process.stdout.write('ready\n');
let maintained: Promise<void> | null = null;
let deleted: Promise<void> | null = null;
let copied: Promise<void> | null = null;
for (let round = 0, time = start; ; round++, time += STEP_MS) {
  for (let s = 0; s < SERIES; s++) {
    await append(s, time);
    // Some of them go to blocks that have been cut already.
    if (s % 3 === 0) await append(s, time - LATE_MS * (1 + (s % 5)) + 100);
  }
  maintained ??= db.maintain().finally(() => (maintained = null));
  if (round % 5 === 0) {
    deleted ??= deleteSome(Math.floor(time / (5 * STEP_MS)) % SERIES, time).finally(
      () => (deleted = null),
    );
  }
  if (round % 30 === 10) copied ??= takeSnapshot().finally(() => (copied = null));
  await new Promise(resolve => setImmediate(resolve));
}
