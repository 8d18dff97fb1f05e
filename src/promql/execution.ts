// What the operators of one running query share: where data comes from, limits, remarks, the event loop.

import { OutpostError } from '../lifecycle/errors.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import type { Queryable } from '../storage/queryable.ts';
import type { Annotations } from './annotations.ts';
import type { RowLabels } from './block.ts';
import { CELL_BYTES, histogramBytes, labelBytes, type QueryMemory } from './limits/memory.ts';
import { limitReached, type QueryLimits } from './limits/query-limits.ts';
import type { MatrixSeries } from './result.ts';

/** Cells between two looks at the clock: a fraction of a millisecond for most of what is done with them. */
const CELLS_UNCHECKED = 4096;
/** What a row costs beside its cells: labels, keys, objects. */
const ROW_CELLS = 64;

/** Behaviour that servers switch. */
export interface Semantics {
  /** Metric names are dropped at the end of the query rather than by each operation. */
  readonly delayedNameRemoval: boolean;
  /** Counter functions look at when counters began to count, where the store knows. */
  readonly startTimes: boolean;
}

export interface ExecutionOptions {
  readonly queryable: Queryable;
  readonly annotations: Annotations;
  readonly semantics: Semantics;
  readonly lookbackMs: number;
  readonly limits: QueryLimits;
  readonly memory: QueryMemory;
  readonly monotonic: () => number;
  readonly signal: AbortSignal;
}

/** One running query. */
export class Execution {
  readonly queryable: Queryable;
  readonly annotations: Annotations;
  readonly semantics: Semantics;
  readonly lookbackMs: number;
  readonly signal: AbortSignal;
  samplesRead = 0;
  seriesRead = 0;
  peakSamples = 0;
  readonly #slicer: Slicer;
  readonly #limits: QueryLimits;
  readonly #memory: QueryMemory;
  #held = 0;
  #received = 0;
  #unchecked = 0;

  constructor(options: ExecutionOptions) {
    this.queryable = options.queryable;
    this.annotations = options.annotations;
    this.semantics = options.semantics;
    this.lookbackMs = options.lookbackMs;
    this.signal = options.signal;
    this.#limits = options.limits;
    this.#memory = options.memory;
    this.#slicer = new Slicer(options.monotonic, options.signal);
  }

  /** Counts samples kept in memory until `release`. Throws `limit-exceeded` or `unavailable`. */
  hold(samples: number): void {
    this.#held += samples;
    if (this.#held > this.peakSamples) this.peakSamples = this.#held;
    if (this.#held > this.#limits.samplesMax) throw limitReached('samples', this.#limits);
    this.#memory.hold(samples * CELL_BYTES);
  }

  /** Counts a label set that is kept until the query ends. Throws as `hold`. */
  holdLabels({ labels }: Pick<RowLabels, 'labels'>): void {
    this.#memory.hold(labelBytes(labels.pairs));
  }

  /** Counts native histograms that are kept until the query ends. Throws as `hold`. */
  holdHistograms({ histograms }: Pick<MatrixSeries, 'histograms'>): void {
    if (histograms) this.#memory.hold(histogramBytes(histograms));
  }

  /** Counts other memory that is kept until the query ends. Throws as `hold`. */
  holdBytes(bytes: number): void {
    this.#memory.hold(bytes);
  }

  /** Counts series taken from storage. Throws `limit-exceeded`. */
  countSeries(series: number): void {
    this.seriesRead += series;
    if (this.seriesRead > this.#limits.seriesMax) throw limitReached('series', this.#limits);
  }

  /** Counts bytes that came from other stores. Throws `limit-exceeded`. */
  countReceived(bytes: number): void {
    this.#received += bytes;
    if (this.#received > this.#limits.receivedMax) throw limitReached('received', this.#limits);
  }

  /** Refuses a grid on which a single series would be too much. Throws `limit-exceeded`. */
  checkSteps(steps: number): void {
    if (steps > this.#limits.samplesMax) throw limitReached('samples', this.#limits);
  }

  release(samples: number): void {
    this.#held -= samples;
    this.#memory.release(samples * CELL_BYTES);
  }

  /** True when the slice is used up: long loops stop then and let `breathe` be called. */
  get due(): boolean {
    return this.#slicer.due;
  }

  /**
   * As `due`, for loops over many short rows: told of the cells of each, it asks the clock, which takes as long
   * as a short row, only where there have been many since.
   */
  dueAfter(cells: number): boolean {
    this.#unchecked += cells + ROW_CELLS;
    if (this.#unchecked < CELLS_UNCHECKED) return false;
    this.#unchecked = 0;
    return this.#slicer.due;
  }

  /** Gives way to the event loop when the slice is used up; throws when the query has been stopped. */
  async breathe(): Promise<void> {
    if (this.signal.aborted) throw OutpostError.from(this.signal.reason);
    if (this.#slicer.due) await this.#slicer.pause();
  }
}
