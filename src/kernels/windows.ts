// Functions over sliding windows, in the memory of one WebAssembly instance: whoever reads a series writes
// its samples into the columns, asks, and copies the row of answers out before anything else runs.

import { type Kernels, newKernels } from './load.ts';

const PAGE_BYTES = 65_536;

/** Windows (end − reachMs, end] that end at startMs, startMs + stepMs, … `count` of them. Times in ms. */
export interface WindowFrame {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
  readonly reachMs: number;
}

/**
 * What is asked of each window. Growth is stretched to the window's edges; `rate` is growth per second and
 * `increase` growth, both with a counter's resets; `delta` is growth without them.
 */
export type WindowQuestion =
  | 'rate'
  | 'increase'
  | 'delta'
  | 'sum'
  | 'mean'
  | 'least'
  | 'greatest'
  | 'count';

/** Answers questions about one series after another. Not for use across threads. */
export class WindowKernels {
  /** The columns: times in Unix ms ascending, values beside them. Their views never change. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly #kernels: Kernels;
  readonly #cells: Float64Array;
  readonly #present: Uint8Array;
  #frame: WindowFrame | null = null;
  #question: WindowQuestion | null = null;
  // The row of the frame at hand.
  #rowCells: Float64Array;
  #rowPresent: Uint8Array;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: 1 });
    this.#kernels = newKernels(memory);
    memory.grow(Math.ceil(this.#kernels.WINDOW_BYTES.value / PAGE_BYTES));
    const { WINDOW_TIMES, WINDOW_VALUES, WINDOW_CELLS, WINDOW_PRESENT } = this.#kernels;
    const { WINDOW_SAMPLES, WINDOW_STEPS } = this.#kernels;
    const { buffer } = memory;
    this.times = new Float64Array(buffer, WINDOW_TIMES.value, WINDOW_SAMPLES.value);
    this.values = new Float64Array(buffer, WINDOW_VALUES.value, WINDOW_SAMPLES.value);
    this.#cells = new Float64Array(buffer, WINDOW_CELLS.value, WINDOW_STEPS.value);
    this.#present = new Uint8Array(buffer, WINDOW_PRESENT.value, WINDOW_STEPS.value);
    this.#rowCells = this.#cells;
    this.#rowPresent = this.#present;
  }

  /** True where a row of so many steps fits. */
  takesSteps(count: number): boolean {
    return count <= this.#cells.length;
  }

  /** Takes stale markers out of the first `count` samples; how many are left. */
  dropStale(count: number): number {
    return this.#kernels.windowDropStale(count);
  }

  /**
   * Answers a question about each window of the first `count` samples, which hold no stale marker. Returns
   * the number of windows that have a sample; −1 where the kernel gives the series up, whose row then means
   * nothing. Frames are told apart by identity.
   */
  ask(question: WindowQuestion, frame: WindowFrame, count: number): number {
    if (frame !== this.#frame || question !== this.#question) this.#take(frame, question);
    const kernels = this.#kernels;
    switch (question) {
      case 'rate':
        return kernels.windowGrowth(count, 1, frame.reachMs / 1000);
      case 'increase':
        return kernels.windowGrowth(count, 1, 0);
      case 'delta':
        return kernels.windowGrowth(count, 0, 0);
      case 'sum':
        return kernels.windowSum(count);
      case 'mean':
        return kernels.windowMean(count);
      case 'least':
        return kernels.windowLeast(count);
      case 'greatest':
        return kernels.windowGreatest(count);
      case 'count':
        return kernels.windowCount(count);
    }
  }

  /**
   * The newest sample of each window, none where that is the stale marker; how many there are. The first
   * `count` samples hold their stale markers.
   */
  newest(frame: WindowFrame, count: number): number {
    if (frame !== this.#frame) this.#take(frame, null);
    return this.#kernels.windowNewest(count);
  }

  /** Copies the answers: values, bits intact, and 1 or 0 for whether there is one. */
  copyRow(values: Float64Array, present: Uint8Array, at: number): void {
    values.set(this.#rowCells, at);
    present.set(this.#rowPresent, at);
  }

  #take(frame: WindowFrame, question: WindowQuestion | null): void {
    this.#frame = frame;
    this.#question = question;
    this.#kernels.windowFrame(frame.startMs, frame.stepMs, frame.count, frame.reachMs);
    this.#rowCells = this.#cells.subarray(0, frame.count);
    this.#rowPresent = this.#present.subarray(0, frame.count);
  }
}

let shared: WindowKernels | undefined;

/** This thread's window kernels. */
export function windowKernels(): WindowKernels {
  shared ??= new WindowKernels();
  return shared;
}
