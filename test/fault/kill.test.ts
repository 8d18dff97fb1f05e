// kill -9 at random moments: everything the writer says was acknowledged is there afterwards, and everything
// deleted is not. OUTPOST_KILL_ROUNDS asks for more rounds than the default.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Matcher } from '../../src/labels/matcher.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { verifyDirectory } from '../../src/tools/tsdb/verify/verify-directory.ts';
import { isCold } from '../../src/tsdb/cold/any-block.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { openTestDb } from '../fakes/test-db.ts';
import { toolContext } from '../fakes/tool-context.ts';
import { isHistogram, numberAt, SERIES, WRITER_OPTIONS } from './kill-plan.ts';

const ROUNDS = Number(process.env['OUTPOST_KILL_ROUNDS'] ?? 20);
const WRITER = fileURLToPath(new URL('./database-writer.ts', import.meta.url));
const RUN_MS_MAX = 700;
/** Every fourth run may be so many times longer, for what takes several steps. */
const LONG = 4;
/** A directory grows for so many rounds, then the next one begins. */
const ROUNDS_PER_DIRECTORY = 10;

/** Runs the writer for a while, kills it, and returns the lines it wrote to the end. */
async function writeAndKill(dir: string, runMs: number, mode: string): Promise<string[]> {
  const file = join(temporaryDirectory(), 'acknowledged');
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, [WRITER, dir, file, mode], { stdio: [...stdio] });
  let stderr = '';
  child.stderr.on('data', chunk => (stderr += chunk));
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), runMs));
  const [, signal] = await once(child, 'close');
  expect(stderr).toBe('');
  expect(signal).toBe('SIGKILL');
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.pop(); // the last line may be cut short
  return lines;
}

/** What must be there, and what must not, by series. */
class Promises {
  readonly kept = Array.from({ length: SERIES }, () => new Set<number>());
  readonly gone = Array.from({ length: SERIES }, () => new Set<number>());
  /** Newest exemplars by series. */
  readonly exemplars = new Map<number, number>();
  readonly snapshots: string[] = [];
  batches = 0;
  deletions = 0;

  take(lines: readonly string[]): void {
    for (const line of lines) {
      const [word, ...rest] = line.split(' ');
      if (word === 'snapshot') this.snapshots.push(rest[0]!);
      else if (word === 'deleting' || word === 'deleted') {
        this.#delete(word === 'deleted', rest.map(Number) as [number, number, number]);
      } else this.#stored(Number(word), Number(rest[0]), Number(rest[1]));
    }
  }

  #stored(s: number, time: number, exemplars: number): void {
    this.batches++;
    for (let k = 0; k < 3; k++) this.kept[s]!.add(time + k);
    if (exemplars > 0) this.exemplars.set(s, time);
  }

  /** What is being deleted may be there or not until it is deleted. */
  #delete(done: boolean, [s, from, to]: [number, number, number]): void {
    if (done) {
      this.deletions++;
      for (const time of this.#unsure) if (time >= from && time <= to) this.gone[s]!.add(time);
      return;
    }
    this.#unsure = [...this.kept[s]!].filter(time => time >= from && time <= to);
    for (const time of this.#unsure) this.kept[s]!.delete(time);
  }

  #unsure: number[] = [];
}

/** Looks through one series; every value tells its time. Returns how many of the promised samples are there. */
function look(columns: SampleColumns, s: number, promises: Promises, what: string): number {
  const { times, values, histograms, length } = columns;
  let kept = 0;
  for (let i = 0; i < length; i++) {
    const time = times[i]!;
    const number = isHistogram(s) ? histograms?.[i]?.count : values[i];
    if (number !== numberAt(time)) expect.fail(`${what} has ${number} at ${time}`);
    if (i > 0 && time <= times[i - 1]!) expect.fail(`${what} has ${time} twice`);
    if (promises.gone[s]!.has(time)) expect.fail(`${what} has ${time} again`);
    if (promises.kept[s]!.has(time)) kept++;
  }
  return kept;
}

async function check(db: Db, promises: Promises, round: number): Promise<void> {
  const found = new Array<number>(SERIES).fill(0);
  const columns = new SampleColumns();
  const querier = db.querier(-Infinity, Infinity);
  try {
    const set = await querier.select([]);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        const s = Number(series.label('s'));
        columns.clear();
        series.samples(columns);
        found[s]! += look(columns, s, promises, `round ${round}: series ${s}`);
      }
    }
  } finally {
    querier.close();
  }
  const expected = promises.kept.map(({ size }) => size);
  expect(found, `round ${round}: acknowledged samples by series`).toEqual(expected);
  for (const [s, time] of promises.exemplars) {
    const found = await db.exemplars(time, time, [[new Matcher('=', 's', String(s))]]);
    const labels = found[0]?.exemplars.map(exemplar => exemplar.labels.get('trace'));
    expect(labels, `round ${round}: the exemplar of series ${s}`).toEqual([String(time)]);
  }
}

/** Snapshots that were acknowledged are whole. */
async function checkSnapshots(dir: string, promises: Promises): Promise<number> {
  const names = promises.snapshots.splice(0);
  for (const name of names) {
    const { findings } = await verifyDirectory(join(dir, 'snapshots', name), toolContext());
    expect(findings.kept.filter(({ severity }) => severity === 'error')).toEqual([]);
  }
  rmSync(join(dir, 'snapshots'), { recursive: true, force: true });
  return names.length;
}

test(`nothing acknowledged is lost in ${ROUNDS} kills`, {
  timeout: 60_000 + ROUNDS * 20_000,
}, async () => {
  const seen = { batches: 0, deletions: 0, blocks: 0, cold: 0, late: 0, snapshots: 0 };
  let dir = temporaryDirectory();
  let promises = new Promises();
  let state = 12_345;
  for (let round = 0; round < ROUNDS; round++) {
    if (round % ROUNDS_PER_DIRECTORY === 0 && round > 0) {
      rmSync(dir, { recursive: true });
      dir = temporaryDirectory();
      promises = new Promises();
    }
    const before = { batches: promises.batches, deletions: promises.deletions };
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const runMs = ((state >>> 8) / 2 ** 24) * RUN_MS_MAX * (round % 4 === 3 ? LONG : 1);
    promises.take(await writeAndKill(dir, runMs, round % 2 === 0 ? 'alone' : 'threads'));
    // Every third time the head is written to a file, from which the writer goes on.
    const db = await openTestDb(dir, { ...WRITER_OPTIONS, snapshotOnClose: round % 3 === 0 });
    expect(db.replay.damages, `round ${round}`).toBe(0);
    expect(db.outOfOrderReplay, `round ${round}`).toMatchObject({ damages: 0, samplesLost: 0 });
    await check(db, promises, round);
    seen.batches += promises.batches - before.batches;
    seen.deletions += promises.deletions - before.deletions;
    seen.blocks += db.blocks.length;
    seen.cold += db.blocks.filter(isCold).length;
    seen.late += db.outOfOrderReplay.samples;
    if (round % 5 === 4) {
      await db.maintain();
      await check(db, promises, round);
    }
    await db.close();
    seen.snapshots += await checkSnapshots(dir, promises);
  }
  expect(seen.batches).toBeGreaterThan(ROUNDS * 10);
  for (const [what, count] of Object.entries(seen)) {
    expect(count, what).toBeGreaterThan(0);
  }
});

test('a second process is told who has the directory', async () => {
  const dir = temporaryDirectory();
  const child = spawn(process.execPath, [WRITER, dir, join(temporaryDirectory(), 'a')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    await expect(openTestDb(dir)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${child.pid} is using it`),
    });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});
