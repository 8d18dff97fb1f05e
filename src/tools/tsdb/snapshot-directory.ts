// Backup and restore. A snapshot is a directory of whole blocks; its files are hard links where the file
// system allows, so that it costs next to nothing.

import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { readMeta } from '../../tsdb/block/block.ts';
import { type BlockMeta, isOutOfOrder } from '../../tsdb/block/meta.ts';
import { UlidSource } from '../../tsdb/block/ulid.ts';
import { isColdDirectory, readAnyMeta } from '../../tsdb/cold/any-block.ts';
import { openColdBlock } from '../../tsdb/cold/cold-block.ts';
import { thawBlock } from '../../tsdb/cold/freeze.ts';
import { lockDirectory } from '../../tsdb/directory-lock.ts';
import { writeHeadBlock } from '../../tsdb/head-blocks.ts';
import { snapshotBlocks } from '../../tsdb/snapshot.ts';
import { syncDirectory } from '../../tsdb/wal/sync-directory.ts';
import type { ProgressSink } from '../progress-sink.ts';
import { logStart } from './log-start.ts';
import { blockDirectories, blockNames, lastTime, readLoggedHead } from './read-only-database.ts';
import { type Verification, verifyDirectory } from './verify/verify-directory.ts';

// A database removes such directories of dead writers when it starts.
const SCRATCH_SUFFIX = '.tmp';

/** What both directions need. */
export interface SnapshotContext {
  readonly clock: Clock;
  readonly fillRandom: (bytes: Uint8Array) => void;
  readonly progress: ProgressSink;
  readonly signal: AbortSignal;
}

/**
 * Puts everything of a directory that no process uses into `target`, which must not exist. What only the
 * logs hold becomes a block there, unless `skipHead`. Throws `locked` where a process has the directory.
 */
export async function snapshotDirectory(
  dir: string,
  target: string,
  { skipHead }: { readonly skipHead: boolean },
  context: SnapshotContext,
): Promise<void> {
  const { clock, fillRandom } = context;
  const paths = blockDirectories(dir);
  if (existsSync(target)) {
    throw new OutpostError('bad-data', `write a snapshot: it exists already: ${target}`);
  }
  const lock = lockDirectory(dir);
  try {
    const metas: BlockMeta[] = [];
    for (const path of paths) metas.push(await readAnyMeta(path));
    await snapshotBlocks(
      paths.filter(path => !isColdDirectory(path)),
      target,
    );
    await thawInto(target, paths.filter(isColdDirectory), context);
    const logged = skipHead ? null : await readLoggedHead(dir, metas, clock);
    if (!logged) return;
    const { head } = logged;
    const range = { minTime: head.oldestTime, maxTime: head.newestTime + 1 };
    const ulid = new UlidSource(() => clock.now(), fillRandom).next();
    await writeHeadBlock(head, target, range, { ulid, monotonic: () => clock.monotonic() });
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  } finally {
    lock.release();
  }
}

/** Puts the samples of cold blocks into `target` as standard blocks, which every reader knows. */
async function thawInto(
  target: string,
  coldDirs: readonly string[],
  { clock, signal }: SnapshotContext,
): Promise<void> {
  for (const path of coldDirs) {
    const block = await openColdBlock(path);
    try {
      await thawBlock(block, target, { signal, monotonic: () => clock.monotonic() });
    } finally {
      await block.close();
    }
  }
}

/** What a restore did. `restored` is null where the snapshot is damaged, and nothing was done. */
export interface Restoration {
  readonly verification: Verification;
  readonly restored: readonly string[] | null;
  /** Blocks the target has already. */
  readonly present: readonly string[];
}

/**
 * Checks every byte of a snapshot and puts its blocks into `dir`, which no process may use and which must
 * be empty unless `merge`. All blocks arrive or none: they are moved in when all of them are there.
 */
export async function restoreSnapshot(
  snapshot: string,
  dir: string,
  { merge }: { readonly merge: boolean },
  context: SnapshotContext,
): Promise<Restoration> {
  const names = blockNames(snapshot);
  if (names.length === 0) throw new OutpostError('bad-data', `restore: no blocks in ${snapshot}`);
  if (existsSync(join(snapshot, 'wal'))) {
    const fix = 'it is a data directory; take a snapshot of it first';
    throw new OutpostError('bad-data', `restore from a directory with a log: ${fix}: ${snapshot}`);
  }
  const entries = existsSync(dir) ? await readdir(dir) : [];
  if (entries.length > 0 && !merge) {
    const fix = 'choose an empty one, or add to it with --merge';
    throw new OutpostError(
      'bad-data',
      `restore into a directory that is not empty: ${fix}: ${dir}`,
    );
  }
  const verification = await verifyDirectory(snapshot, context);
  if (verification.findings.errors > 0) return { verification, restored: null, present: [] };
  await mkdir(dir, { recursive: true });
  const lock = lockDirectory(dir);
  try {
    const here = blockDirectories(dir).map(path => basename(path));
    const present = names.filter(name => here.includes(name));
    const restored = names.filter(name => !present.includes(name));
    await refuseBehindLog(snapshot, restored, dir, context.clock);
    const ulids = new UlidSource(() => context.clock.now(), context.fillRandom);
    const scratch = join(dir, ulids.next() + SCRATCH_SUFFIX);
    await moveIn(
      restored.map(name => join(snapshot, name)),
      scratch,
      dir,
    );
    return { verification, restored, present };
  } finally {
    lock.release();
  }
}

async function moveIn(blocks: readonly string[], scratch: string, dir: string): Promise<void> {
  try {
    await snapshotBlocks(blocks, scratch);
    for (const block of blocks) {
      await rename(join(scratch, basename(block)), join(dir, basename(block)));
    }
    await syncDirectory(dir);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A block over times that are in the target's log would hide the log's samples. */
async function refuseBehindLog(
  snapshot: string,
  names: readonly string[],
  dir: string,
  clock: Clock,
): Promise<void> {
  const start = await logStart(dir, clock);
  for (const name of names) {
    const meta = await readMeta(join(snapshot, name));
    if (isOutOfOrder(meta) || lastTime(meta) < start) continue;
    const range = `the log of ${dir} begins at ${start}, before the block ends`;
    throw new OutpostError('bad-data', `restore block ${name}: ${range}`);
  }
}
