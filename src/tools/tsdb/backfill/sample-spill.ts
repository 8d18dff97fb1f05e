// Samples in any order, kept by time window: a buffer in memory that is sorted by window into a scratch
// file whenever it is full. Within a window samples come back in the order they were added. Histograms lie
// in a file of their own; the sample's value is where.

import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { OutpostError } from '../../../lifecycle/errors.ts';
import type { FloatHistogram } from '../../../storage/histogram.ts';
import { HistogramSpill } from './histogram-spill.ts';
import { readAll, writeAll } from './scratch-file.ts';

const BUFFER_SAMPLES = 512 * 1024;
const TIME_AND_VALUE_BYTES = 16;
const SERIES_BYTES = 4;
// A run's bytes are a multiple of eight, so that columns of the next one are aligned.
const RUN_ALIGNMENT = 8;
/** Set in a sample's series number where its value is the place of a histogram. */
export const HISTOGRAM_FLAG = 0x8000_0000;
/** The series' number itself. */
export const SERIES_MASK = 0x7fff_ffff;
/** More windows would be as many blocks, which nobody can work with. */
const WINDOWS_MAX = 20_000;

/** Samples of one window. */
export interface Window {
  /** Its range is start ≤ t < start + length. Unix ms. */
  readonly start: number;
  count: number;
  /** Oldest and newest sample. */
  minTime: number;
  maxTime: number;
  readonly offsets: number[];
  readonly counts: number[];
}

/** A stretch of samples of one window, as they were added. Valid until the next one. */
export interface Run {
  /** Numbers, with HISTOGRAM_FLAG where the value is a place for `histogram`. */
  readonly series: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** Order of calls: add and drain as needed, drain, then read windows; close at last. */
export class SampleSpill {
  readonly #file: FileHandle;
  readonly #windowMs: number;
  readonly #series: Uint32Array;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  readonly #windows = new Map<number, Window>();
  readonly #histograms: HistogramSpill;
  #length = 0;
  #position = 0;

  private constructor(
    files: { samples: FileHandle; histograms: HistogramSpill },
    windowMs: number,
    bufferSamples: number,
  ) {
    this.#file = files.samples;
    this.#histograms = files.histograms;
    this.#windowMs = windowMs;
    this.#series = new Uint32Array(bufferSamples);
    this.#times = new Float64Array(bufferSamples);
    this.#values = new Float64Array(bufferSamples);
  }

  /** Creates the scratch files in a directory. The buffer's size is a parameter for tests. */
  static async create(
    dir: string,
    windowMs: number,
    bufferSamples = BUFFER_SAMPLES,
  ): Promise<SampleSpill> {
    const histograms = await HistogramSpill.create(join(dir, 'histograms'));
    try {
      const samples = await open(join(dir, 'samples'), 'wx+');
      return new SampleSpill({ samples, histograms }, windowMs, bufferSamples);
    } catch (error) {
      await histograms.close();
      throw error;
    }
  }

  /** True when the caller should await `drain` before it adds more. */
  get full(): boolean {
    return this.#length === this.#times.length || this.#histograms.full;
  }

  /** Windows that hold samples, by time. Complete after a drain. */
  get windows(): readonly Window[] {
    return [...this.#windows.values()].sort((a, b) => a.start - b.start);
  }

  /** Adds a sample; the value's bits are kept. There must be room. */
  add(series: number, time: number, value: number): void {
    const at = this.#length++;
    this.#series[at] = series;
    this.#times[at] = time;
    this.#values[at] = value;
  }

  /** Adds a native histogram. There must be room. */
  addHistogram(series: number, time: number, histogram: FloatHistogram): void {
    this.add((series | HISTOGRAM_FLAG) >>> 0, time, this.#histograms.add(histogram));
  }

  /** The histogram at a place; places of one run are asked for in their order. After a drain. */
  histogram(place: number): Promise<FloatHistogram> {
    return this.#histograms.at(place);
  }

  /** Moves the buffer to the file. Throws `limit-exceeded` for samples spread over too many windows. */
  async drain(): Promise<void> {
    const count = this.#length;
    if (count === 0) return;
    await this.#histograms.drain();
    const windows = this.#windowsOfBuffer();
    const order = windows.map(({ window, length }) => ({
      window,
      length,
      bytes: runBytes(length),
    }));
    const buffer = new ArrayBuffer(order.reduce((sum, { bytes }) => sum + bytes, 0));
    const runs = new Map<number, { run: Run; length: number }>();
    let offset = 0;
    for (const { window, length, bytes } of order) {
      window.offsets.push(this.#position + offset);
      window.counts.push(length);
      runs.set(window.start, { run: runAt(buffer, offset, length), length: 0 });
      offset += bytes;
    }
    for (let i = 0; i < count; i++) {
      const target = runs.get(this.#startOf(this.#times[i]!))!;
      const at = target.length++;
      target.run.series[at] = this.#series[i]!;
      target.run.times[at] = this.#times[i]!;
      target.run.values[at] = this.#values[i]!;
    }
    await writeAll(this.#file, new Uint8Array(buffer), this.#position);
    this.#position += buffer.byteLength;
    this.#length = 0;
  }

  /** Hands out the samples of a window, stretch by stretch in the order they were added. */
  async *read(window: Window): AsyncGenerator<Run> {
    for (let i = 0; i < window.offsets.length; i++) {
      const length = window.counts[i]!;
      const bytes = new Uint8Array(runBytes(length));
      await readAll(this.#file, bytes, window.offsets[i]!);
      yield runAt(bytes.buffer, 0, length);
    }
  }

  /** Closes the files; they are the caller's to remove. */
  async close(): Promise<void> {
    await this.#file.close();
    await this.#histograms.close();
  }

  #startOf(time: number): number {
    return Math.floor(time / this.#windowMs) * this.#windowMs;
  }

  /** Counts the buffer's samples into their windows. */
  #windowsOfBuffer(): { window: Window; length: number }[] {
    const found = new Map<number, { window: Window; length: number }>();
    for (let i = 0; i < this.#length; i++) {
      const time = this.#times[i]!;
      const start = this.#startOf(time);
      let entry = found.get(start);
      if (!entry) {
        entry = { window: this.#window(start), length: 0 };
        found.set(start, entry);
      }
      entry.length++;
      const { window } = entry;
      window.count++;
      if (time < window.minTime) window.minTime = time;
      if (time > window.maxTime) window.maxTime = time;
    }
    return [...found.values()];
  }

  #window(start: number): Window {
    const known = this.#windows.get(start);
    if (known) return known;
    if (this.#windows.size >= WINDOWS_MAX) {
      const reason = 'split the input, or take a longer --max-block-duration';
      throw new OutpostError('limit-exceeded', `more than ${WINDOWS_MAX} blocks: ${reason}`);
    }
    const window: Window = {
      start,
      count: 0,
      minTime: Number.POSITIVE_INFINITY,
      maxTime: Number.NEGATIVE_INFINITY,
      offsets: [],
      counts: [],
    };
    this.#windows.set(start, window);
    return window;
  }
}

function runBytes(length: number): number {
  const bytes = length * (TIME_AND_VALUE_BYTES + SERIES_BYTES);
  return Math.ceil(bytes / RUN_ALIGNMENT) * RUN_ALIGNMENT;
}

function runAt(buffer: ArrayBuffer, offset: number, length: number): Run {
  return {
    times: new Float64Array(buffer, offset, length),
    values: new Float64Array(buffer, offset + length * 8, length),
    series: new Uint32Array(buffer, offset + length * TIME_AND_VALUE_BYTES, length),
  };
}
