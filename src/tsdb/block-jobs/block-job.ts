// The long jobs over blocks as plain data, so that they can be sent to another thread: a job reads whole
// blocks from their directories and writes one new block, which is there whole or not at all.

import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Block } from '../block/block.ts';
import { CREATION_SUFFIX, DELETION_SUFFIX } from '../block/block-writer.ts';
import type { BlockMeta } from '../block/meta.ts';
import { openAnyBlock } from '../cold/any-block.ts';
import { freezeBlock, thawBlock } from '../cold/freeze.ts';
import { compactBlocks } from '../compact/compactor.ts';

/**
 * Writes `<parentDir>/<ulid>`. `compact` joins the blocks, or rewrites one without its deleted samples; at
 * equal times the block given first wins. `freeze` and `thaw` take one block, whose id stays.
 */
export interface BlockJob {
  readonly kind: 'compact' | 'freeze' | 'thaw';
  /** Directories of the blocks that are read, of either form. */
  readonly dirs: readonly string[];
  readonly parentDir: string;
  readonly ulid: string;
  /** Series of all blocks together; memory is measured out by it. */
  readonly series: number;
}

/** What a job needs of the thread it runs in. */
export interface JobContext {
  /** Milliseconds that never step; for slicing. */
  readonly monotonic: () => number;
  readonly signal?: AbortSignal;
}

/** What runs jobs, one after another or beside each other. */
export interface JobRunner {
  /**
   * Resolves to the new block's meta once it would survive a power cut, null where no sample is left.
   * Rejects with what went wrong, `canceled` when the signal aborts; nothing of the new block is left then.
   */
  run(job: BlockJob, context: JobContext): Promise<BlockMeta | null>;
}

/** Runs jobs in the calling thread, in slices. */
export const inProcessJobs: JobRunner = {
  async run(job, context) {
    try {
      return await runBlockJob(job, context);
    } catch (error) {
      await discardResult(job);
      throw error;
    }
  },
};

/** Does a job in this thread. What a job that is stopped leaves is for `discardResult`. */
export async function runBlockJob(job: BlockJob, context: JobContext): Promise<BlockMeta | null> {
  const { kind, dirs, parentDir, ulid } = job;
  if (kind === 'compact') return await compactBlocks(dirs, parentDir, { ...context, ulid });
  const convert = kind === 'freeze' ? freezeBlock : thawBlock;
  const block: Block = await openAnyBlock(dirs[0]!);
  try {
    return await convert(block, parentDir, context);
  } finally {
    await block.close();
  }
}

/** Removes what a job that did not succeed has written, finished or not. */
export async function discardResult({ parentDir, ulid }: BlockJob): Promise<void> {
  const target = join(parentDir, ulid);
  await rm(target + CREATION_SUFFIX, { recursive: true, force: true });
  if (!existsSync(target)) return;
  // Renamed first, so that a crash leaves nothing that looks like a damaged block.
  await rename(target, target + DELETION_SUFFIX);
  await rm(target + DELETION_SUFFIX, { recursive: true, force: true });
}
