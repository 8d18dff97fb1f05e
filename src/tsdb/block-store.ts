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
import { isCold, openAnyBlock } from './cold/any-block.ts';
import { COLD_FOLDER } from './cold/cold-block.ts';
import { PageCache } from './cold/page-cache.ts';
import type { DbMetrics } from './db-metrics.ts';

/** Damaged blocks get this suffix and are then left alone. */
export const SET_ASIDE_SUFFIX = '.corrupt';

// Filled by queries over cold blocks alone; the indexes of some days of one host.
const PAGE_CACHE_BYTES = 8 * 1024 * 1024;

/** The open blocks of a directory, standard and cold. */
export class BlockStore {
  /** Where cold blocks lie; absent until there is one. */
  readonly coldDir: string;
  readonly #dir: string;
  readonly #logger: Logger;
  readonly #metrics: DbMetrics;
  readonly #pages = new PageCache(PAGE_CACHE_BYTES);
  #blocks: readonly Block[] = [];
  /** Blocks that could not be frozen. */
  readonly #warm = new WeakSet<Block>();
  /** Blocks that are on their way out and wait for their readers. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(dir: string, logger: Logger, metrics: DbMetrics) {
    this.#dir = dir;
    this.coldDir = join(dir, COLD_FOLDER);
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

  /** The cold ones of the open blocks, by time. */
  get coldBlocks(): readonly Block[] {
    return this.#blocks.filter(isCold);
  }

  /** Notes that freezing a block makes no sense while it is open. */
  keepWarm(block: Block): void {
    this.#warm.add(block);
  }

  /** True after `keepWarm`. */
  staysWarm(block: Block): boolean {
    return this.#warm.has(block);
  }

  /** Removes what a crash left of blocks being written or deleted. */
  removeLeftovers(): void {
    for (const dir of [this.#dir, this.coldDir]) {
      for (const name of namesIn(dir)) {
        const suffix = [CREATION_SUFFIX, DELETION_SUFFIX, '.tmp'].find(end => name.endsWith(end));
        if (suffix === undefined || !isUlid(name.slice(0, -suffix.length))) continue;
        rmSync(join(dir, name), { recursive: true, force: true });
        this.#logger.info('leftover removed', { dir: join(dir, name) });
      }
    }
  }

  /**
   * Opens blocks that are new on disk and forgets those that are gone. `setAside`: damaged blocks are
   * renamed, as at start; otherwise they are tried again next time, since somebody may still be copying.
   */
  async reload({ setAside }: { readonly setAside: boolean }): Promise<void> {
    this.#metrics.reloads.inc();
    const standard = new Set(readdirSync(this.#dir).filter(isUlid));
    const cold = new Set(namesIn(this.coldDir).filter(isUlid));
    const gone = this.#blocks.filter(
      block => !(isCold(block) ? cold : standard).has(block.meta.ulid),
    );
    const ulids = new Set([...standard, ...cold]);
    for (const block of this.#blocks) if (!gone.includes(block)) ulids.delete(block.meta.ulid);
    const added: Block[] = [];
    for (const ulid of ulids) {
      // Freezing that a crash interrupted leaves both forms of a block: the same samples.
      const block = standard.has(ulid) ? await this.#open(join(this.#dir, ulid), setAside) : null;
      if (block && cold.has(ulid)) this.#removeColdTwin(ulid);
      const found =
        !block && cold.has(ulid) ? await this.#open(join(this.coldDir, ulid), setAside) : block;
      if (found) added.push(found);
    }
    this.swap(added, gone);
  }

  /** Opens a block that was just written, without showing it to readers. */
  open(ulid: string): Promise<Block> {
    return Block.open(join(this.#dir, ulid));
  }

  /** Opens a cold block that was just written, without showing it to readers. */
  openCold(ulid: string): Promise<Block> {
    return this.#openAny(join(this.coldDir, ulid));
  }

  /** Opens blocks again, to see a changed meta.json. */
  async reopen(blocks: readonly Block[]): Promise<void> {
    const again = await Promise.all(blocks.map(block => this.#openAny(block.dir)));
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

  #openAny(dir: string): Promise<Block> {
    return openAnyBlock(dir, { cache: this.#pages });
  }

  #removeColdTwin(ulid: string): void {
    const dir = join(this.coldDir, ulid);
    renameSync(dir, dir + DELETION_SUFFIX);
    rmSync(dir + DELETION_SUFFIX, { recursive: true, force: true });
    this.#logger.info('leftover removed', { dir });
  }

  async #open(dir: string, setAside: boolean): Promise<Block | null> {
    try {
      return await this.#openAny(dir);
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

function namesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
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
  // A block that was written anew stands where the one it was made from stood.
  const age = ({ meta }: Block): string => meta.compaction.sources[0] ?? meta.ulid;
  late.sort((a, b) => (age(a) < age(b) ? -1 : 1));
  return [...blocks.filter(({ meta }) => !isOutOfOrder(meta)), ...late];
}
