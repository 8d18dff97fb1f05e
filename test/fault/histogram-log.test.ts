// A log of floats, histograms and exemplars that is cut off at every byte: what lies before is back, and the
// series go on.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { histogram } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, contents, openTestDb } from '../fakes/test-db.ts';

const UP = Labels.fromObject({ __name__: 'up' });

function counted(count: number, changes: Partial<FloatHistogram> = {}): FloatHistogram {
  return histogram({
    schema: 1,
    count,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    ...changes,
  });
}

const SAMPLES: readonly (number | FloatHistogram | 'stale')[] = [
  1,
  counted(2, { integer: true }),
  counted(3),
  counted(4, { schema: -53, customValues: Float64Array.of(1), integer: true }),
  counted(5, { schema: -53, customValues: Float64Array.of(1) }),
  'stale',
  6,
];

const TEXTS = ['1', 'h2', 'h3', 'h4', 'h5', 'stale', '6'].map(
  (text, i) => `${BLOCK_START + i}:${text}`,
);

/** Appends sample `i` with an exemplar. */
async function append(db: Db, i: number): Promise<void> {
  const appender = db.appender();
  const ref = appender.series(UP);
  const time = BLOCK_START + i;
  const sample = SAMPLES[i]!;
  if (sample === 'stale') appender.appendStale(ref, time);
  else if (typeof sample === 'number') appender.append(ref, time, sample);
  else appender.appendHistogram(ref, time, sample);
  appender.appendExemplar(ref, { labels: Labels.fromObject({ trace: 'x' }), value: i, time });
  expect(await appender.commit()).toMatchObject({ stored: 1, exemplars: 1 });
}

async function exemplarsOf(db: Db): Promise<number> {
  const found = await db.exemplars(-1e15, 1e15, [[new Matcher('=', '__name__', 'up')]]);
  return found[0]?.exemplars.length ?? 0;
}

test('gives back every record before its end', { timeout: 60_000 }, async () => {
  const dir = temporaryDirectory();
  const written = await openTestDb(dir);
  const path = join('wal', '00000000');
  const ends: number[] = [];
  for (let i = 0; i < SAMPLES.length; i++) {
    await append(written, i);
    ends.push(readFileSync(join(dir, path)).length);
  }
  await written.close();
  const bytes = readFileSync(join(dir, path));
  for (let length = 0; length <= bytes.length; length++) {
    const cut = temporaryDirectory();
    mkdirSync(join(cut, 'wal'));
    writeFileSync(join(cut, path), bytes.subarray(0, length));
    const db = await openTestDb(cut);
    const whole = ends.filter(end => end <= length).length;
    const texts = (await contents(db)).get('up') ?? [];
    // The next commit's sample may be whole while its exemplar is not.
    expect(texts, `cut at ${length}`).toEqual(TEXTS.slice(0, Math.max(whole, texts.length)));
    expect(texts.length - whole, `cut at ${length}`).toBeLessThanOrEqual(1);
    expect(await exemplarsOf(db), `cut at ${length}`).toBe(whole);
    expect(db.replay.damages, `cut at ${length}`).toBe(0);
    for (let i = texts.length; i < SAMPLES.length; i++) await append(db, i);
    expect((await contents(db)).get('up')).toEqual(TEXTS);
    await db.close();
  }
});
