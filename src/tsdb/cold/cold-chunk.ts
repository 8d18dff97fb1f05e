// Chunks of a cold block. Their numbers are outside those Prometheus and Thanos use and never leave the
// block: whoever asks for chunks gets XOR chunks. Layout: docs/internals/cold-encoding.md.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import type { Chunk } from '../../storage/series.ts';
import { writeIntegers } from './integer-column.ts';
import { ValueColumnWriter } from './value-column.ts';

/** Encoding numbers within the segments of cold blocks. */
export const ColdEncoding = {
  /** Samples of one series, floats. */
  floats: 0xc0,
  /** Times that chunks of several series refer to. */
  times: 0xc1,
} as const;

/** How a chunk gives its times. */
export const TimesKind = {
  /** Every so many milliseconds after the chunk's first. */
  regular: 0,
  /** The place of a times chunk. */
  shared: 1,
} as const;

/** Samples in a chunk at most. */
export const COLD_SAMPLES_MAX = 4096;

/** Samples in the data of a chunk of floats or times, read from its head. */
export function coldSamplesIn(data: Uint8Array): number {
  return new ReadBuffer(data).uvarint();
}

/** Encodes chunks and columns of times. What it returns is the caller's. */
export class ColdChunkEncoder {
  readonly #buffer = new WriteBuffer(64 * 1024);
  readonly #values = new ValueColumnWriter(COLD_SAMPLES_MAX);
  readonly #residuals = new Float64Array(COLD_SAMPLES_MAX);

  /** The step of evenly spaced times, −1 for others. At most COLD_SAMPLES_MAX samples from…to−1. */
  stepOf(times: Float64Array, from: number, to: number): number {
    const step = to - from > 1 ? times[from + 1]! - times[from]! : 0;
    for (let i = from + 2; i < to; i++) if (times[i]! - times[i - 1]! !== step) return -1;
    return step;
  }

  /** A times chunk. */
  times(times: Float64Array, from: number, to: number): Uint8Array {
    const buffer = this.#buffer;
    const count = to - from;
    const step = Math.round((times[to - 1]! - times[from]!) / Math.max(1, count - 1));
    buffer.reset();
    buffer.uvarint(count);
    buffer.varint(times[from]!);
    buffer.uvarint(step);
    for (let i = 0; i < count; i++) {
      this.#residuals[i] = times[from + i]! - times[from]! - i * step;
    }
    writeIntegers(buffer, this.#residuals, count);
    return buffer.copy();
  }

  /** A chunk of floats, whose times are regular by `step`, or those at `timesPlace` where it is −1. */
  floats(
    { times, values }: { readonly times: Float64Array; readonly values: Float64Array },
    from: number,
    to: number,
    { step, timesPlace }: { readonly step: number; readonly timesPlace: number },
  ): Chunk {
    const buffer = this.#buffer;
    buffer.reset();
    buffer.uvarint(to - from);
    buffer.u8(step >= 0 ? TimesKind.regular : TimesKind.shared);
    buffer.uvarint(step >= 0 ? step : timesPlace);
    this.#values.write(buffer, values, from, to);
    return {
      minTime: times[from]!,
      maxTime: times[to - 1]!,
      encoding: ColdEncoding.floats,
      data: buffer.copy(),
    };
  }
}
