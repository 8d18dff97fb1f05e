// The blocks of a data directory: opened at start and when they appear, closed when they go. A block is
// deleted by renaming it first, so that a crash in between leaves nothing half there.

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Block } from './block/block.ts';
import { CREATION_SUFFIX, DELETION_SUFFIX } from './block/block-writer.ts';
import { isOutOfOrder } from './block/meta.ts';
import { isUlid } from './block/ulid.ts';
import type { DbMetrics } from './db-metrics.ts';

/** Damaged blocks get this suffix and are then left alone. */
export const SET_ASIDE_SUFFIX = '.corrupt';

/** The open blocks of a directory. */
export class BlockStore {
  readonly #dir: string;
  readonly #logger: Logger;
  readonly #metrics: DbMetrics;
  #blocks: readonly Block[] = [];
  /** Blocks that are on their way out and wait for their readers. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(dir: string, logger: Logger, metrics: DbMetrics) {
    this.#dir = dir;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Open blocks by time. */
  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  get sizeBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
  }

  /** Removes what a crash left of blocks being written or deleted. */
  removeLeftovers(): void {
    for (const name of readdirSync(this.#dir)) {
      const suffix = [CREATION_SUFFIX, DELETION_SUFFIX, '.tmp'].find(end => name.endsWith(end));
      if (suffix === undefined || !isUlid(name.slice(0, -suffix.length))) continue;
      rmSync(join(this.#dir, name), { recursive: true, force: true });
      this.#logger.info('leftover removed', { dir: name });
    }
  }

  /**
   * Opens blocks that are new on disk and forgets those that are gone. `setAside`: damaged blocks are
   * renamed, as at start; otherwise they are tried again next time, since somebody may still be copying.
   */
  async reload({ setAside }: { readonly setAside: boolean }): Promise<void> {
    this.#metrics.reloads.inc();
    const present = new Set(readdirSync(this.#dir).filter(isUlid));
    const gone = this.#blocks.filter(block => !present.has(block.meta.ulid));
    for (const block of this.#blocks) present.delete(block.meta.ulid);
    const added: Block[] = [];
    for (const ulid of present) {
      const block = await this.#open(ulid, setAside);
      if (block) added.push(block);
    }
    this.swap(added, gone);
  }

  /** Opens a block that was just written, without showing it to readers. */
  open(ulid: string): Promise<Block> {
    return Block.open(join(this.#dir, ulid));
  }

  /** Opens blocks again, to see a changed meta.json. */
  async reopen(blocks: readonly Block[]): Promise<void> {
    const again = await Promise.all(blocks.map(block => Block.open(block.dir)));
    this.swap(again, blocks);
  }

  /** Shows blocks to readers and takes others away, in one step. */
  swap(added: readonly Block[], removed: readonly Block[]): void {
    const kept = this.#blocks.filter(block => !removed.includes(block));
    const all = [...kept, ...added];
    this.#blocks = all.sort(
      (a, b) => a.meta.minTime - b.meta.minTime || a.meta.maxTime - b.meta.maxTime,
    );
    for (const block of removed) this.#leave(block);
  }

  /** Deletes blocks that readers no longer see; their files go once the last reader is done. */
  delete(blocks: readonly Block[]): void {
    for (const block of blocks) {
      // A block's files are open, so renaming does not disturb its readers.
      if (existsSync(block.dir)) renameSync(block.dir, block.dir + DELETION_SUFFIX);
    }
    this.swap([], blocks);
  }

  /** Closes everything; waits for readers. */
  async close(): Promise<void> {
    this.swap([], this.#blocks);
    await Promise.all(this.#leaving);
  }

  #leave(block: Block): void {
    const leaving = block
      .close()
      .then(() => rm(block.dir + DELETION_SUFFIX, { recursive: true, force: true }))
      .catch(error => this.#logger.warn('block not removed', { dir: block.dir, err: error }))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #open(ulid: string, setAside: boolean): Promise<Block | null> {
    const dir = join(this.#dir, ulid);
    try {
      return await Block.open(dir);
    } catch (error) {
      this.#metrics.reloadsFailed.inc();
      const damaged =
        error instanceof OutpostError && (error.code === 'corrupt' || error.code === 'not-found');
      if (!setAside || !(damaged || isMissingFile(error))) {
        this.#logger.error('block not opened', { dir, err: error });
        return null;
      }
      rmSync(dir + SET_ASIDE_SUFFIX, { recursive: true, force: true });
      renameSync(dir, dir + SET_ASIDE_SUFFIX);
      this.#metrics.blocksSetAside.inc();
      this.#logger.error('damaged block set aside', { dir: dir + SET_ASIDE_SUFFIX, err: error });
      return null;
    }
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * The blocks in the order in which their samples win at equal times: samples in order before those that came
 * out of order, and of these the ones that were written first.
 */
export function firstWins(blocks: readonly Block[]): Block[] {
  const late = blocks.filter(({ meta }) => isOutOfOrder(meta));
  late.sort((a, b) => (a.meta.ulid < b.meta.ulid ? -1 : 1));
  return [...blocks.filter(({ meta }) => !isOutOfOrder(meta)), ...late];
}
