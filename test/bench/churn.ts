// Churn in simulated time, in a process of its own: every ten minutes a tenth of the series is replaced by
// new ones for six hours; then the same as before goes on until retention has taken the blocks of the churn,
// whose label tables belong to what is stored. What the process holds at the end is compared with what it held
// at the same place of the cycle before. The first time, a process also keeps what it took for good, such as
// code and the holes of its allocator; the second time shows what churn costs. Run with --expose-gc.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels } from '../../src/labels/labels.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import { tell } from './figures.ts';
import { BLOCK_MS, type Held, heldBytes, newDb } from './stores.ts';

const SERIES = 20_000;
const MINUTE_MS = 60_000;
const CHURN_MINUTES = 10;
const STEADY_HOURS = 6;
const CHURN_HOURS = 6;
const RETENTION_HOURS = 6;
const CALM_HOURS = STEADY_HOURS + RETENTION_HOURS;
const START = Math.floor(1_700_000_000_000 / BLOCK_MS) * BLOCK_MS;

const dir = mkdtempSync(join(tmpdir(), 'bench-churn-'));
const clock = new ManualClock(START);
const db = await newDb(dir, clock, {
  retentionMs: RETENTION_HOURS * 60 * MINUTE_MS,
  compactedRangeMaxMs: 3 * BLOCK_MS,
});
/** What tells the series of a place from those that were there before. */
const lives = new Uint32Array(SERIES);
const refs = new Uint32Array(SERIES);
const values = new Float64Array(SERIES);
let next = 0;
try {
  make(0, SERIES);
  await run(STEADY_HOURS * 60, false);
  const before = await heldBytes();
  const seriesBefore = db.seriesCount;
  await run(CHURN_HOURS * 60, true);
  const peak = db.seriesCount;
  await run(CALM_HOURS * 60, false);
  const after = await heldBytes();
  const group = 'Churn';
  const ended = `after ${CHURN_HOURS} h of churn (${SERIES} series, a tenth new every ${CHURN_MINUTES} min) and ${CALM_HOURS} h without, as a share of before`;
  const share = (pick: (held: Held) => number): number => pick(after) / pick(before);
  const bound = { group, unit: 'ratio', target: 1.1 };
  tell({ ...bound, what: `resident memory ${ended}`, ours: share(held => held.resident) });
  tell({ ...bound, what: `live objects and buffers ${ended}`, ours: share(held => held.live) });
  const again = await churnAgain();
  const once = 'after as much churn once more, as a share of after the first';
  tell({ ...bound, what: `resident memory ${once}`, ours: again.resident / after.resident });
  tell({ ...bound, what: `live objects and buffers ${once}`, ours: again.live / after.live });
  for (const [when, held] of Object.entries({ before, after, again })) {
    tell({ group, what: `resident memory ${when}`, unit: 'MiB', ours: held.resident / 2 ** 20 });
    tell({ group, what: `live memory ${when}`, unit: 'MiB', ours: held.live / 2 ** 20 });
  }
  tell({ group, what: 'series in the head before', unit: 'series', ours: seriesBefore });
  tell({ group, what: 'series in the head at the end of the churn', unit: 'series', ours: peak });
  tell({
    group,
    what: 'series in the head at the end',
    unit: 'series',
    ours: db.seriesCount,
    target: seriesBefore,
  });
} finally {
  await db.close();
  rmSync(dir, { recursive: true, force: true });
}

function labelsOf(place: number): Labels {
  return Labels.fromPairs([
    ['__name__', `container_metric_${place % 50}_total`],
    ['container', `c-${place % 1000}-${lives[place]}`],
    ['id', `/kubepods/pod-${place}/${lives[place]}`],
    ['job', 'cadvisor'],
  ]);
}

function make(from: number, to: number): void {
  const appender = db.appender();
  for (let i = from; i < to; i++) refs[i] = appender.series(labelsOf(i));
  appender.rollback();
}

/** Replaces the next tenth of the series. */
function replaceSome(): void {
  const appender = db.appender();
  for (let n = 0; n < SERIES / 10; n++) {
    const place = next++ % SERIES;
    appender.appendStale(refs[place]!, clock.now());
    lives[place]!++;
    refs[place] = appender.series(labelsOf(place));
  }
  void appender.commit();
}

async function churnAgain(): Promise<Held> {
  await run(CHURN_HOURS * 60, true);
  await run(CALM_HOURS * 60, false);
  return await heldBytes();
}

async function run(minutes: number, churns: boolean): Promise<void> {
  for (let minute = 1; minute <= minutes; minute++) {
    clock.advance(MINUTE_MS);
    if (churns && minute % CHURN_MINUTES === 0) replaceSome();
    await scrape();
    await db.maintain();
  }
}

async function scrape(): Promise<void> {
  for (let i = 0; i < SERIES; i++) values[i]! += (i * 7 + next) % 100;
  for (let from = 0; from < SERIES; from += 5000) {
    const to = from + 5000;
    const appender = db.appender();
    const time = Float64Array.of(clock.now());
    appender.appendColumns(refs.subarray(from, to), time, values.subarray(from, to), 5000);
    const { stored } = await appender.commit();
    if (stored !== 5000) throw new Error(`${stored} of 5000 samples were stored`);
  }
}
