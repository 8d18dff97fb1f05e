// Makes blocks from samples that come in any order. Nothing is visible in the target directory before all
// of them are written; then they are moved in, one rename each, and a running process finds them. The
// blocks are marked as out of order, so that they never stand for the end of what a log still holds.

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Labels } from '../../../labels/labels.ts';
import type { Clock } from '../../../lifecycle/clock.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import type { FloatHistogram } from '../../../storage/histogram.ts';
import { histogramProblem, storableHistogram } from '../../../storage/histogram-problem.ts';
import { writeBlock } from '../../../tsdb/block/block-writer.ts';
import { type BlockMeta, OUT_OF_ORDER_HINT } from '../../../tsdb/block/meta.ts';
import { UlidSource } from '../../../tsdb/block/ulid.ts';
import { syncDirectory } from '../../../tsdb/wal/sync-directory.ts';
import type { ProgressSink } from '../../progress-sink.ts';
import { SampleSpill } from './sample-spill.ts';
import { SeriesRegistry } from './series-registry.ts';
import { type Repeats, windowSeries } from './window-series.ts';

/** Range of the shortest blocks. */
export const BLOCK_RANGE_MS = 2 * 3_600_000;
const RANGE_STEPS = 10;
/** Last ms of the year 9999: later times are seconds and milliseconds mixed up. */
const TIME_MAX = 253_402_300_799_999;
// A database removes such directories of dead writers when it starts.
const SCRATCH_SUFFIX = '.tmp';

/** How blocks are made. */
export interface BackfillOptions {
  readonly clock: Clock;
  readonly fillRandom: (bytes: Uint8Array) => void;
  readonly progress: ProgressSink;
  readonly signal: AbortSignal;
  /** Longest range of a block, at least two hours. */
  readonly blockRangeMaxMs: number;
  /** For tests: samples held in memory while reading, and while writing. */
  readonly bufferSamples?: number;
  readonly samplesAtOnce?: number;
}

/** What was made. */
export interface BackfillReport extends Repeats {
  readonly samples: number;
  readonly series: number;
  /** By time. */
  readonly blocks: readonly BlockMeta[];
}

/** The longest aligned block range within the limit: 2 h, 6 h, 18 h, … as compaction makes them. */
export function blockRange(maxMs: number): number {
  let range = BLOCK_RANGE_MS;
  for (let step = 1; step < RANGE_STEPS && range * 3 <= maxMs; step++) range *= 3;
  return range;
}

/** Order of calls: `seriesOf` and `add` with `drain` when `full`; then `finish` or `discard`. */
export class Backfill {
  readonly registry: SeriesRegistry = new SeriesRegistry();
  /** Samples added. */
  samples = 0;
  readonly #dir: string;
  readonly #scratch: string;
  readonly #options: BackfillOptions;
  readonly #ulids: UlidSource;
  readonly #spill: SampleSpill;

  private constructor(
    place: { dir: string; scratch: string },
    options: BackfillOptions,
    parts: { ulids: UlidSource; spill: SampleSpill },
  ) {
    this.#dir = place.dir;
    this.#scratch = place.scratch;
    this.#options = options;
    this.#ulids = parts.ulids;
    this.#spill = parts.spill;
  }

  /** Begins blocks in `dir`, which is created where it is absent and may be in use. */
  static async open(dir: string, options: BackfillOptions): Promise<Backfill> {
    const { clock, fillRandom, blockRangeMaxMs, bufferSamples } = options;
    if (blockRangeMaxMs < BLOCK_RANGE_MS) {
      throw new OutpostError('bad-data', 'create blocks: the longest block range is below 2h');
    }
    const ulids = new UlidSource(() => clock.now(), fillRandom);
    const scratch = join(dir, ulids.next() + SCRATCH_SUFFIX);
    await mkdir(scratch, { recursive: true });
    try {
      const spill = await SampleSpill.create(scratch, blockRange(blockRangeMaxMs), bufferSamples);
      return new Backfill({ dir, scratch }, options, { ulids, spill });
    } catch (error) {
      await rm(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  /** The series' number, or why it cannot be stored. */
  seriesOf(labels: Labels): number | string {
    return this.registry.numberOf(labels);
  }

  /** Takes a sample, time in Unix ms, or says why not. The value's bits are kept. */
  add(series: number, time: number, value: number): string | null {
    if (Math.abs(time) > TIME_MAX) return `time ${time} ms lies beyond the year 9999`;
    this.#spill.add(series, time, value);
    this.samples++;
    return null;
  }

  /** Takes a native histogram as `add` does a float. */
  addHistogram(series: number, time: number, histogram: FloatHistogram): string | null {
    if (Math.abs(time) > TIME_MAX) return `time ${time} ms lies beyond the year 9999`;
    const problem = histogramProblem(histogram);
    if (problem !== null) return problem;
    this.#spill.addHistogram(series, time, storableHistogram(histogram));
    this.samples++;
    return null;
  }

  /** True when the caller should await `drain` before it adds more. */
  get full(): boolean {
    return this.#spill.full;
  }

  async drain(): Promise<void> {
    this.#options.signal.throwIfAborted();
    await this.#spill.drain();
  }

  /** Writes the blocks and moves them into the directory. Nothing is left behind when it throws. */
  async finish(): Promise<BackfillReport> {
    const { progress } = this.#options;
    const repeats: Repeats = { duplicates: 0, conflicts: 0, example: null };
    try {
      await this.#spill.drain();
      progress.phase('write blocks', this.samples, 'samples');
      const blocks = await this.#writeBlocks(repeats);
      await this.#spill.close();
      for (const { ulid } of blocks) await rename(join(this.#scratch, ulid), join(this.#dir, ulid));
      await rm(this.#scratch, { recursive: true });
      await syncDirectory(this.#dir);
      return { ...repeats, samples: this.samples, series: this.registry.size, blocks };
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Removes everything that was written; safe more than once. */
  async discard(): Promise<void> {
    await this.#spill.close();
    await rm(this.#scratch, { recursive: true, force: true });
  }

  async #writeBlocks(repeats: Repeats): Promise<BlockMeta[]> {
    const { clock, progress, signal, samplesAtOnce } = this.#options;
    const order = this.registry.inLabelOrder();
    const blocks: BlockMeta[] = [];
    let done = 0;
    for (const window of this.#spill.windows) {
      const series = windowSeries(window, {
        spill: this.#spill,
        registry: this.registry,
        order,
        repeats,
        onSamples(count) {
          done += count;
          progress.at(done);
        },
        ...(samplesAtOnce !== undefined && { samplesAtOnce }),
      });
      const meta = await writeBlock(this.#scratch, series, {
        ulid: this.#ulids.next(),
        minTime: window.minTime,
        maxTime: window.maxTime + 1,
        level: 1,
        hints: [OUT_OF_ORDER_HINT],
        monotonic: () => clock.monotonic(),
        signal,
      });
      if (meta) blocks.push(meta);
    }
    return blocks;
  }
}
