// The queued samples of one appender, as columns that are used again by the next.

import { BATCH_SAMPLES_MAX } from '../../kernels/series-arena.ts';
import { assert, OutpostError } from '../../lifecycle/errors.ts';
import { setStale } from '../../storage/stale.ts';

const INITIAL_CAPACITY = 512;
/** Columns longer than this are not kept for the next appender. */
const KEPT_CAPACITY_MAX = 16_384;

/** Columns of references, times and values. */
export class SampleBatch {
  refs: Uint32Array = new Uint32Array(INITIAL_CAPACITY);
  times: Float64Array = new Float64Array(INITIAL_CAPACITY);
  values: Float64Array = new Float64Array(INITIAL_CAPACITY);
  length = 0;
  /** References of the series that `pushStale` was called for. */
  readonly ended: number[] = [];

  /** Forgets the samples; false where the columns are too long to keep. */
  clear(): boolean {
    this.length = 0;
    this.ended.length = 0;
    return this.refs.length <= KEPT_CAPACITY_MAX;
  }

  push(ref: number, time: number, value: number): void {
    this.#reserve(1);
    this.refs[this.length] = ref;
    this.times[this.length] = time;
    this.values[this.length++] = value;
  }

  pushStale(ref: number, time: number): void {
    this.push(ref, time, 0);
    setStale(this.values, this.length - 1);
    this.ended.push(ref);
  }

  /** Copies columns; a time column of length 1 serves all samples. */
  append(refs: Uint32Array, times: Float64Array, values: Float64Array, count: number): void {
    assert(
      count <= refs.length &&
        count <= values.length &&
        (times.length === 1 || count <= times.length),
      `${count} samples of shorter columns`,
    );
    this.#reserve(count);
    const at = this.length;
    this.refs.set(refs.subarray(0, count), at);
    this.values.set(values.subarray(0, count), at);
    if (times.length === 1) this.times.fill(times[0]!, at, at + count);
    else this.times.set(times.subarray(0, count), at);
    this.length += count;
  }

  #reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.refs.length) return;
    if (needed > BATCH_SAMPLES_MAX) {
      throw new OutpostError(
        'limit-exceeded',
        `append samples: one batch holds at most ${BATCH_SAMPLES_MAX}, commit more often`,
      );
    }
    const capacity = Math.max(needed, this.refs.length * 2);
    this.refs = grown(this.refs, new Uint32Array(capacity));
    this.times = grown(this.times, new Float64Array(capacity));
    this.values = grown(this.values, new Float64Array(capacity));
  }
}

function grown<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
