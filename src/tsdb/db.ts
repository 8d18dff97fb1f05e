// The database of one data directory: the head with its log, and blocks. It can be opened by Prometheus,
// and opens what Prometheus wrote; see docs of Prometheus' tsdb for the layout.

import { type Matcher, matchesAll } from '../labels/matcher.ts';
import { sleep } from '../lifecycle/clock.ts';
import { assert, OutpostError } from '../lifecycle/errors.ts';
import { aborted } from '../lifecycle/run-group.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import type { Appendable, Appender, MetadataSource, MetricMetadata } from '../storage/appender.ts';
import type { ExemplarQueryable, SeriesExemplars } from '../storage/exemplar.ts';
import { mergeQueriers } from '../storage/merge-queryables.ts';
import type { Querier, Queryable } from '../storage/queryable.ts';
import type { Block } from './block/block.ts';
import { isOutOfOrder } from './block/meta.ts';
import { firstWins } from './block-store.ts';
import { blocksToClean, cleanBlock } from './clean-tombstones.ts';
import { directoryProblem, diskProblem, makeDataDirectory } from './data-directory.ts';
import type { DbOptions } from './db-options.ts';
import { type DbParts, newParts, openBlocks, openLogs } from './db-parts.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { deleteFromHead } from './head/head-deletion.ts';
import { type LabelStatistics, labelStatistics } from './head/head-statistics.ts';
import type { ReplayReport } from './head/log-replay.ts';
import type { OutOfOrderReplay } from './head/out-of-order/out-of-order-replay.ts';
import type { SnapshotFound } from './head/snapshot/snapshot-reader.ts';
import { MAINTENANCE_INTERVAL_MS, Maintenance } from './maintenance-round.ts';
import { missingHead, type Replays, replayInto, saveSnapshot, stillOpening } from './opening.ts';
import { ReplayProgress, type ReplayState } from './replay-progress.ts';
import { writeSnapshot } from './snapshot.ts';

/** How often `run` flushes the log: what a power cut can take at most. A killed process loses nothing. */
export const SYNC_INTERVAL_MS = 5000;
/** When `run` does its first round: what a restart interrupted need not wait for long. */
const FIRST_ROUND_MS = 5000;

/**
 * Opens a data directory, creating it where it is absent. Throws `locked` where another process has it,
 * `unavailable` where it cannot be written. Damaged blocks and log segments are repaired or set aside,
 * counted and logged; they do not keep the database from opening.
 */
export async function openDb(dir: string, options: DbOptions): Promise<Db> {
  const db = await startDb(dir, options);
  try {
    await db.opened;
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/**
 * As `openDb`, and resolves as soon as blocks can be read. Until `opened` resolves queries leave out the
 * newest samples and warn of it, and everything else throws `unavailable` or waits.
 */
export async function startDb(dir: string, options: DbOptions): Promise<Db> {
  makeDataDirectory(dir);
  let lock: DirectoryLock | null = null;
  try {
    lock = lockDirectory(dir);
    return await Db.open(dir, options, lock);
  } catch (error) {
    lock?.release();
    throw directoryProblem(dir, error);
  }
}

/** The head in numbers. Times are Unix ms, Infinity and −Infinity while it is empty. */
export interface HeadStatistics extends LabelStatistics {
  readonly series: number;
  readonly chunks: number;
  readonly minTime: number;
  readonly maxTime: number;
}

/** An open database. Appenders and queriers of it work until `close`. */
export class Db implements Queryable, Appendable, MetadataSource, ExemplarQueryable {
  readonly dir: string;
  /** Resolves when the head is there; rejects where it cannot be brought back. `close` works in any case. */
  readonly opened: Promise<void>;
  readonly #progress: ReplayProgress;
  #replays: Replays | null = null;
  readonly #parts: DbParts;
  readonly #lock: DirectoryLock;
  readonly #maintenance: Maintenance;
  /** Ends what would hold up `close`. */
  readonly #closing = new AbortController();
  /** Maintenance, snapshots and closing run one after another. */
  #tail: Promise<unknown>;
  #closed = false;

  private constructor(parts: DbParts, lock: DirectoryLock) {
    const { clock, logger } = parts.settings;
    this.dir = parts.dir;
    this.#parts = parts;
    this.#lock = lock;
    this.#maintenance = new Maintenance(parts);
    this.#progress = new ReplayProgress(logger, () => clock.monotonic());
    this.opened = this.#open();
    this.#tail = this.opened.catch(() => {}); // whoever waits for it learns of it
  }

  /** For `startDb`, which holds the lock. */
  static async open(dir: string, options: DbOptions, lock: DirectoryLock): Promise<Db> {
    const parts = newParts(dir, options);
    await openBlocks(parts);
    return new Db(parts, lock);
  }

  /** True from the moment on when samples are taken and read. */
  get isOpen(): boolean {
    return this.#replays !== null && !this.#closed;
  }

  /** How far the replay of the log is. */
  get replayState(): ReplayState {
    return this.#progress.state;
  }

  /** What the replay of the log found at opening; all of the log, or what is behind the snapshot. */
  get replay(): ReplayReport {
    return this.#replayed.inOrder;
  }

  /** What the replay of the out-of-order log found. */
  get outOfOrderReplay(): OutOfOrderReplay {
    return this.#replayed.outOfOrder;
  }

  /** What became of the snapshot of the head. */
  get headSnapshot(): SnapshotFound {
    return this.#replayed.snapshot;
  }

  /** Series in the head. */
  get seriesCount(): number {
    return this.#parts.head.seriesCount;
  }

  /** What the head holds, and the labels it has most of. */
  async headStatistics(limit: number): Promise<HeadStatistics> {
    const { head, settings } = this.#parts;
    const slicer = new Slicer(() => settings.clock.monotonic());
    return {
      series: head.seriesCount,
      chunks: head.arena.chunkCount + head.histograms.chunkCount,
      minTime: head.oldestTime,
      maxTime: head.newestTime,
      ...(await labelStatistics(head.index, limit, slicer)),
    };
  }

  /** Unix ms of the oldest sample in the head, Infinity while it is empty. */
  get headMinTime(): number {
    return this.#parts.head.oldestTime;
  }

  /** Open blocks by time. */
  get blocks(): readonly Block[] {
    return this.#parts.store.blocks;
  }

  /** Unix ms of the oldest sample's range, Infinity while empty. */
  get minTime(): number {
    const { store, head } = this.#parts;
    return Math.min(store.blocks[0]?.meta.minTime ?? Number.POSITIVE_INFINITY, head.oldestTime);
  }

  /** Unix ms of the newest sample, −Infinity while empty. */
  get maxTime(): number {
    const { store, head } = this.#parts;
    // Blocks of out-of-order samples may reach beyond the newest one.
    const ends = store.blocks
      .filter(({ meta }) => !isOutOfOrder(meta))
      .map(b => b.meta.maxTime - 1);
    return Math.max(head.newestTime, ...ends);
  }

  appender(): Appender {
    this.#checkOpen();
    return this.#parts.head.appender();
  }

  querier(minTime: number, maxTime: number): Querier {
    this.#check();
    const { store, head } = this.#parts;
    const blocks = store.blocks.filter(
      ({ meta }) => meta.minTime <= maxTime && Math.max(meta.maxTime - 1, meta.minTime) >= minTime,
    );
    const oldest = this.#replays ? head.oldestTime : head.visibleFrom;
    const inHead = blocks.length === 0 || maxTime >= oldest;
    const newest = (): Querier =>
      this.#replays ? head.querier(minTime, maxTime) : missingHead(this.#progress);
    return mergeQueriers([
      ...firstWins(blocks).map(block => block.querier(minTime, maxTime)),
      ...(inHead ? [newest()] : []),
    ]);
  }

  metadata(): ReadonlyMap<string, MetricMetadata> {
    return this.#parts.head.metadata();
  }

  async exemplars(
    minTime: number,
    maxTime: number,
    selectors: readonly (readonly Matcher[])[],
  ): Promise<readonly SeriesExemplars[]> {
    this.#checkOpen();
    return this.#parts.head.exemplars.select(minTime, maxTime, labels =>
      selectors.some(matchers => matchesAll(matchers, name => labels.get(name))),
    );
  }

  /**
   * Deletes samples with minTime ≤ t ≤ maxTime of the matching series; returns the number of series. They are
   * gone for readers from then on, also after a crash. Throws `unavailable` where the disk refuses; what was
   * deleted until then stays so. Exemplars stay: the newest replace them.
   */
  delete(minTime: number, maxTime: number, matchers: readonly Matcher[]): Promise<number> {
    return this.#exclusive(async () => {
      const { head, store } = this.#parts;
      try {
        let series = await deleteFromHead(head, minTime, maxTime, matchers);
        for (const block of store.blocks) series += await block.delete(minTime, maxTime, matchers);
        return series;
      } catch (error) {
        throw diskProblem('delete series', error);
      }
    });
  }

  /**
   * Frees the space of deleted samples in blocks; those of the head leave no trace in its next block.
   * Maintenance gets its turn between two blocks. Throws `unavailable` where the disk refuses.
   */
  async cleanTombstones(): Promise<void> {
    const { signal } = this.#closing;
    for (const ulid of await this.#exclusive(async () => blocksToClean(this.#parts))) {
      await this.#exclusive(async () => {
        try {
          await cleanBlock(this.#parts, ulid, signal);
        } catch (error) {
          throw diskProblem('clean tombstones', error);
        }
      });
    }
  }

  /**
   * Cuts blocks that are ready, joins blocks, deletes what is too old, and looks for blocks on disk. A part
   * that fails is counted and logged, and tried again the next time.
   */
  maintain(signal?: AbortSignal): Promise<void> {
    return this.#exclusive(() => this.#maintenance.round(signal));
  }

  /** Flushes the log to the device. */
  async sync(): Promise<void> {
    const { head } = this.#parts;
    await head.log?.sync();
    await head.outOfOrderLog?.sync();
  }

  /** Does what has to be done from time to time, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts.settings;
    const every = async (ms: number, work: () => Promise<void>, first = ms): Promise<void> => {
      for (let wait = first; !signal.aborted; wait = ms) {
        await sleep(clock, wait, signal).catch(() => {}); // aborted: the loop ends
        if (!signal.aborted) await work();
      }
    };
    await Promise.race([this.opened, aborted(signal)]);
    await Promise.all([
      every(SYNC_INTERVAL_MS, () => this.sync()),
      every(SYNC_INTERVAL_MS, () => this.#relieveDisk()),
      every(MAINTENANCE_INTERVAL_MS, () => this.maintain(signal), FIRST_ROUND_MS),
    ]);
  }

  /**
   * Puts a copy of everything under `snapshots/<name>`, which Prometheus can open; returns its path.
   * `skipHead` leaves out what is not in blocks yet.
   */
  snapshot(name: string, { skipHead = false } = {}): Promise<string> {
    return this.#exclusive(() => writeSnapshot(this.#parts, name, { skipHead }));
  }

  /**
   * Flushes the log, writes a snapshot of the head where that is asked for, closes every file and gives the
   * directory free. Ends an opening under way; waits for open queriers.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closing.abort(new OutpostError('unavailable', 'the database is being closed'));
    const run = this.#tail.then(() => this.#closeAll());
    this.#tail = run.catch(() => {}); // whoever closes learns of it
    await run;
  }

  async #closeAll(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const parts = this.#parts;
    await parts.head.log?.close();
    await parts.head.outOfOrderLog?.close();
    if (this.#replays) await saveSnapshot(parts);
    await parts.store.close();
    this.#lock.release();
  }

  async #open(): Promise<void> {
    const parts = this.#parts;
    try {
      const replays = await replayInto(parts, this.#progress, this.#closing.signal);
      await openLogs(parts, replays);
      this.#replays = replays;
      this.#progress.end();
    } catch (error) {
      throw directoryProblem(this.dir, error);
    }
  }

  /** Between two rounds of maintenance, so that the log does not wait for room for long. */
  async #relieveDisk(): Promise<void> {
    if (!(await this.#maintenance.lacksRoom())) return;
    await this.#exclusive(() => this.#maintenance.relieveDisk());
  }

  get #replayed(): Replays {
    assert(this.#replays, 'the database has been opened');
    return this.#replays;
  }

  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#check();
    const run = this.#tail.then(() => {
      this.#checkOpen();
      return work();
    });
    this.#tail = run.catch(() => {}); // whoever called learns of it
    return await run;
  }

  #checkOpen(): void {
    this.#check();
    if (!this.#replays) throw stillOpening(this.#progress);
  }

  #check(): void {
    if (this.#closed) throw new OutpostError('unavailable', `use a closed database: ${this.dir}`);
  }
}
