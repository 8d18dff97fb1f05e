// A process for kill.test.ts: opens a database, appends for ever, and says on standard output what was
// acknowledged, one line `series time` for each batch, after it was. Argument: the directory.

import { randomFillSync } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Labels } from '../../src/labels/labels.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { openDb } from '../../src/tsdb/db.ts';
import { histogram } from '../fakes/prometheus-cases.ts';

const SERIES = 40;
/** Series from here on hold histograms. */
const FIRST_HISTOGRAM = 30;
const STEP_MS = 250;
/** How far behind the newest samples others come, out of order. */
const LATE_MS = 20_000;
// Blocks of a minute, so that cuts, checkpoints and compactions fall among the kills.
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
  outOfOrderMs: 10 * 60_000,
});

/** Batch `n` of series `s` holds three samples whose values tell their place. */
async function append(s: number, time: number): Promise<void> {
  const appender = db.appender();
  const ref = appender.series(Labels.fromObject({ __name__: 'written', s: String(s) }));
  for (let k = 0; k < 3; k++) {
    const number = (time + k) % 100_003;
    if (s < FIRST_HISTOGRAM) appender.append(ref, time + k, number);
    else appender.appendHistogram(ref, time + k, histogramOf(number, s % 2 === 0));
  }
  const { stored } = await appender.commit();
  if (stored === 3) writeSync(1, `${s} ${time}\n`);
}

/** A histogram with this count. */
function histogramOf(count: number, integer: boolean): FloatHistogram {
  return histogram({
    count,
    schema: 2,
    positiveSpans: [{ offset: count % 5, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    ...(integer ? { integer } : {}),
  });
}

const start = Math.max(db.maxTime, 1_700_000_000_000) + STEP_MS;
writeSync(1, 'ready\n');
let maintained: Promise<void> | null = null;
for (let time = start; ; time += STEP_MS) {
  for (let s = 0; s < SERIES; s++) {
    await append(s, time);
    // Some of them go to blocks that have been cut already.
    if (s % 3 === 0) await append(s, time - LATE_MS * (1 + (s % 5)) + 100);
  }
  maintained ??= db.maintain().finally(() => (maintained = null));
  await new Promise(resolve => setImmediate(resolve));
}
