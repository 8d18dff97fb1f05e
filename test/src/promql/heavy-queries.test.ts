// A heavy query beside ingest and light queries, over a head of its own. What is measured is CPU time of this
// thread between two turns of the event loop, so that a busy machine changes nothing.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { systemClock } from '../../../src/lifecycle/clock.ts';
import { Engine } from '../../../src/promql/engine.ts';
import type { Db } from '../../../src/tsdb/db.ts';
import { holdsOf } from '../../fakes/loop-probe.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { BLOCK_START, openTestDb } from '../../fakes/test-db.ts';

const SERIES = 20_000;
const STEP = 15_000;
const TIME = BLOCK_START + 3 * STEP;
/** A slice is ten; what a collection of garbage adds is not the query's to decide. */
const HOLD_MAX_MS = 50;

const HEAVY = [
  'm + on (n) m',
  'm unless on (n) m offset 1m',
  'topk(10000, m)',
  'sort(m)',
  'sum by (n) (m)',
  'sum without (host) (rate(m[1m]))',
  'quantile by (host) (0.9, m)',
  'count_values("v", m)',
  'histogram_quantile(0.9, m)',
  'label_replace(m, "d", "$1", "n", "(.*)5")',
  'absent(m)',
  'max_over_time((m + 1)[1m:15s])',
  'm{n=~".*[13579]7.*"}',
];

describe('beside a heavy query', () => {
  let db: Db;
  const engine = new Engine({ clock: systemClock });

  beforeAll(async () => {
    db = await openTestDb(temporaryDirectory(), { clock: systemClock });
    for (let step = 0; step < 4; step++) await write(step, SERIES);
  }, 60_000);

  afterAll(() => db.close());

  async function write(step: number, count: number): Promise<void> {
    for (let from = 0; from < count; from += 5000) {
      const appender = db.appender();
      for (let i = from; i < Math.min(count, from + 5000); i++) {
        const pairs = [
          '__name__',
          'm',
          'host',
          `host-${i % 2000}`,
          'le',
          String(i % 20),
          'n',
          `${i}`,
        ];
        const ref = appender.series(Labels.fromSorted(pairs));
        appender.append(ref, BLOCK_START + step * STEP, (i * 7919) % 10_007);
      }
      await appender.commit();
    }
  }

  for (const query of HEAVY) {
    it(`no turn of the event loop lasts longer than ${HOLD_MAX_MS} ms: ${query}`, async () => {
      await engine.instant(db, query, { timeMs: TIME });
      const { longest, turns } = await holdsOf(() => engine.instant(db, query, { timeMs: TIME }));
      expect(turns).toBeGreaterThan(2);
      expect(longest).toBeLessThan(HOLD_MAX_MS);
    }, 30_000);
  }

  it('ingest and light queries get their turns', async () => {
    const end = new AbortController();
    let ingested = 0;
    let asked = 0;
    const light = async (): Promise<void> => {
      for (let step = 4; !end.signal.aborted; step++) {
        const { value } = await engine.instant(db, 'sum(m{n="7"})', { timeMs: TIME });
        if (value.type === 'vector' && value.samples.length === 1) asked++;
        await write(step, 10);
        ingested++;
        await new Promise(resolve => setImmediate(resolve));
      }
    };
    const beside = light();
    const heavy = engine.range(db, 'm + on (n) m', {
      startMs: TIME - 2 * STEP,
      endMs: TIME,
      stepMs: STEP,
    });
    const { value } = await heavy;
    end.abort();
    await beside;
    expect(value.type === 'matrix' && value.series.length).toBe(SERIES);
    expect(ingested).toBeGreaterThan(10);
    expect(asked).toBe(ingested);
  }, 30_000);
});
