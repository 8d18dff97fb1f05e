import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OutpostError } from '../../../../src/lifecycle/errors.ts';
import { Registry } from '../../../../src/telemetry/metrics.ts';
import { Block } from '../../../../src/tsdb/block/block.ts';
import { isUlid } from '../../../../src/tsdb/block/ulid.ts';
import {
  type BlockJob,
  inProcessJobs,
  type JobRunner,
} from '../../../../src/tsdb/block-jobs/block-job.ts';
import { receiveError, sendError } from '../../../../src/tsdb/block-jobs/job-reply.ts';
import { workerJobs } from '../../../../src/tsdb/block-jobs/worker-jobs.ts';
import { bitsOf, blocksDirectory } from '../../../fakes/cold-directory.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { ulids } from '../../../fakes/test-blocks.ts';
import { metricValue, openTestDb } from '../../../fakes/test-db.ts';
import { until } from '../../../fakes/until.ts';

const CONTEXT = { monotonic: () => 0 };
const CRASHING = new URL('../../../fakes/job-workers/crashing.ts', import.meta.url);

function compaction(dir: string, parentDir: string): BlockJob {
  const dirs = readdirSync(dir)
    .filter(isUlid)
    .map(name => join(dir, name));
  return { kind: 'compact', dirs, parentDir, ulid: ulids.next(), series: 9 };
}

/** A job for the worker that fails. */
function failing(way: string): BlockJob {
  const parentDir = temporaryDirectory();
  return { kind: 'compact', dirs: [way], parentDir, ulid: ulids.next(), series: 1 };
}

function filesOf(dir: string): Map<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(f => f.isFile());
  return new Map(
    files.map(file => {
      const path = join(file.parentPath, file.name);
      return [path.slice(dir.length), readFileSync(path, 'hex')];
    }),
  );
}

describe('a job in a worker', { timeout: 60_000 }, () => {
  test('writes the bytes that it writes in the calling thread', async () => {
    const source = await blocksDirectory(3);
    const here = temporaryDirectory();
    const there = temporaryDirectory();
    const job = compaction(source, here);
    const meta = await inProcessJobs.run(job, CONTEXT);
    expect(await workerJobs().run({ ...job, parentDir: there }, CONTEXT)).toEqual(meta);
    expect(filesOf(there)).toEqual(filesOf(here));
    expect(meta!.stats.numSamples).toBe(3 * 3 * 480);
    const frozen = { ...job, kind: 'freeze', dirs: [join(here, job.ulid)] } as const;
    await inProcessJobs.run({ ...frozen, parentDir: join(here, 'cold') }, CONTEXT);
    await workerJobs().run({ ...frozen, parentDir: join(there, 'cold') }, CONTEXT);
    expect(filesOf(there)).toEqual(filesOf(here));
    const thawed = { ...job, kind: 'thaw', dirs: [join(there, 'cold', job.ulid)] } as const;
    const target = temporaryDirectory();
    await workerJobs().run({ ...thawed, parentDir: target }, CONTEXT);
    const blocks = [
      await Block.open(join(here, job.ulid)),
      await Block.open(join(target, job.ulid)),
    ];
    expect(await bitsOf(blocks[1]!)).toEqual(await bitsOf(blocks[0]!));
    for (const block of blocks) await block.close();
  });

  test('answers null where nothing is left, and leaves nothing', async () => {
    const source = await blocksDirectory(1);
    const [ulid] = readdirSync(source);
    const block = await Block.open(join(source, ulid!));
    await block.delete(-Infinity, Infinity, []);
    await block.close();
    const target = temporaryDirectory();
    expect(await workerJobs().run(compaction(source, target), CONTEXT)).toBeNull();
    expect(readdirSync(target)).toEqual([]);
  });

  test('fails with the code and the text that the work failed with', async () => {
    const source = await blocksDirectory(2);
    const target = temporaryDirectory();
    const job = compaction(source, target);
    writeFileSync(join(job.dirs[1]!, 'index'), 'rubbish');
    const run = workerJobs().run(job, CONTEXT);
    await expect(run).rejects.toBeInstanceOf(OutpostError);
    await expect(run).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(`${job.dirs[1]}/index`),
    });
    const gone = { ...job, dirs: [join(source, 'absent')] };
    await expect(workerJobs().run(gone, CONTEXT)).rejects.toMatchObject({ code: 'not-found' });
    writeFileSync(join(target, 'file'), '');
    const nowhere = { ...job, dirs: [job.dirs[0]!], parentDir: join(target, 'file') };
    const failure = await workerJobs()
      .run(nowhere, CONTEXT)
      .catch(error => error);
    expect(failure).not.toBeInstanceOf(OutpostError);
    expect(failure).toMatchObject({ code: 'ENOTDIR' });
    expect(readdirSync(target)).toEqual(['file']);
  });

  test.each([
    ['throw', { name: 'TypeError', message: 'injected' }],
    [
      'exit',
      {
        code: 'unavailable',
        message: 'compact blocks: the worker ended before its work was done, with exit code 3',
      },
    ],
    ['rename', { code: 'unavailable' }],
  ])('that crashes (%s) fails alone and leaves nothing', async (way, expected) => {
    const job = failing(way);
    await expect(workerJobs({ entry: CRASHING }).run(job, CONTEXT)).rejects.toMatchObject(expected);
    expect(readdirSync(job.parentDir)).toEqual([]);
  });

  test('that needs more memory than it may have fails alone and says so', async () => {
    const job = failing('memory');
    await expect(
      workerJobs({ entry: CRASHING, heapMib: 16 }).run(job, CONTEXT),
    ).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: "compact blocks: its worker's heap of 16 MiB is used up by 1 series",
    });
    expect(readdirSync(job.parentDir)).toEqual([]);
  });

  test('ends when its signal aborts, and leaves nothing', async () => {
    const job = failing('hang');
    const abort = new AbortController();
    const run = workerJobs({ entry: CRASHING }).run(job, { ...CONTEXT, signal: abort.signal });
    const half = join(job.parentDir, `${job.ulid}.tmp-for-creation`, 'index');
    await until('the worker writes', () => existsSync(half));
    abort.abort();
    await expect(run).rejects.toMatchObject({ code: 'canceled' });
    expect(readdirSync(job.parentDir)).toEqual([]);
    const late = workerJobs().run(job, { ...CONTEXT, signal: abort.signal });
    await expect(late).rejects.toMatchObject({ code: 'canceled' });
  });
});

describe('errors between threads', () => {
  test('keep what they are told apart by', () => {
    const ours = new OutpostError('corrupt', 'read it');
    expect(receiveError(sendError(ours))).toMatchObject({ code: 'corrupt', message: 'read it' });
    expect(receiveError(sendError(ours))).toBeInstanceOf(OutpostError);
    const full = Object.assign(new Error('no room'), { code: 'ENOSPC' });
    expect(receiveError(sendError(full))).toMatchObject({ code: 'ENOSPC', message: 'no room' });
    expect(receiveError(sendError(full))).not.toBeInstanceOf(OutpostError);
    expect(receiveError(sendError('text')).message).toBe('text');
    expect(receiveError(sendError(ours)).stack).toContain('worker-jobs.test');
  });
});

describe('a database whose worker fails', { timeout: 60_000 }, () => {
  test('counts it, keeps every block and sample, and tries again', async () => {
    const dir = await blocksDirectory(5);
    const registry = new Registry();
    const options = { retentionMs: 0, compactedRangeMaxMs: 6 * 3_600_000, registry };
    const db = await openTestDb(dir, { ...options, jobs: workerJobs({ entry: CRASHING }) });
    const before = await bitsOf(db);
    // The worker knows no way of that name, so it hangs until it is told to end.
    const abort = new AbortController();
    const maintained = db.maintain(abort.signal);
    await until('the worker writes', () =>
      readdirSync(dir).some(name => name.endsWith('.tmp-for-creation')),
    );
    abort.abort();
    await maintained;
    expect(metricValue(registry, 'prometheus_tsdb_compactions_failed_total')).toBe(0);
    expect(db.blocks).toHaveLength(5);
    expect(await bitsOf(db)).toEqual(before);
    await db.close();
    const ways = ['exit', 'throw', 'memory'];
    const jobs: JobRunner = {
      run: (job, context) => {
        const runner = workerJobs({ entry: CRASHING, heapMib: 16 });
        return runner.run({ ...job, dirs: [ways.shift()!] }, context);
      },
    };
    const again = await openTestDb(dir, { ...options, registry: new Registry(), jobs });
    for (let i = 0; i < 4; i++) await again.maintain();
    // What is used up today is used up tomorrow: the third failure is the last.
    expect(ways).toEqual([]);
    expect(again.blocks.map(({ meta }) => meta.compaction.failed)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    expect(await bitsOf(again)).toEqual(before);
    expect(readdirSync(dir).filter(name => name.includes('.tmp'))).toEqual([]);
    await again.close();
  });

  test('joins its blocks where that does not fail', async () => {
    const dir = await blocksDirectory(5);
    const options = { retentionMs: 0, compactedRangeMaxMs: 6 * 3_600_000, jobs: workerJobs() };
    const db = await openTestDb(dir, options);
    const before = await bitsOf(db);
    await db.maintain();
    expect(db.blocks.map(({ meta }) => meta.compaction.level)).toEqual([1, 2, 1]);
    expect(await bitsOf(db)).toEqual(before);
    await db.close();
  });
});
