// The samples of one commit that are older than their series' newest: judged against what is stored and
// against each other, written to their own log, applied.

import { SampleStatus, type SeriesArena } from '../../../kernels/series-arena.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import { sameBits } from '../../../storage/sample-bits.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import { LoggedSamples, SamplesRecordWriter } from '../../wal/samples-record.ts';
import { Held } from './generation.ts';
import { OUT_OF_ORDER_BYTES_MAX, type OutOfOrderStore } from './store.ts';

/** One series' sample of a batch. */
export interface LateSample {
  readonly slot: number;
  readonly ref: number;
  readonly time: number;
}

/** Columns of candidates with a verdict each. Used again by the next commit. */
export class OutOfOrderBatch {
  /** Refs, times and values of the candidates in the order they were added. */
  readonly samples: LoggedSamples = new LoggedSamples();
  slots: Uint32Array = new Uint32Array(this.samples.refs.length);
  /** One of `Held` for each candidate, once judged. */
  verdicts: Uint8Array = new Uint8Array(this.samples.refs.length);
  /** How many candidates are new, and how many are the same as what is stored; once judged. */
  fresh = 0;
  identical = 0;
  readonly #found = new SampleColumns(4);
  readonly #writer = new SamplesRecordWriter();

  get length(): number {
    return this.samples.length;
  }

  /** Makes room for `count` candidates; those held are forgotten. */
  clear(count: number): void {
    this.samples.clear(count);
    this.fresh = 0;
    this.identical = 0;
    if (this.slots.length >= this.samples.refs.length) return;
    this.slots = new Uint32Array(this.samples.refs.length);
    this.verdicts = new Uint8Array(this.samples.refs.length);
  }

  /** Adds a candidate; its value is `values[index]`. */
  add({ slot, ref, time }: LateSample, values: Float64Array, index: number): void {
    const { samples } = this;
    const at = samples.length++;
    this.slots[at] = slot;
    samples.refs[at] = ref;
    samples.times[at] = time;
    samples.values[at] = values[index]!;
  }

  /**
   * Judges the candidates against stored samples, against those of the arena's batch of `count` that are
   * about to be stored, and in their order against each other. Throws `limit-exceeded` where out-of-order
   * samples fill their memory.
   */
  judge(store: OutOfOrderStore, arena: SeriesArena, count: number): void {
    const { samples, slots, verdicts } = this;
    if (samples.length === 0) return;
    if (store.bytes > OUT_OF_ORDER_BYTES_MAX) {
      throw new OutpostError(
        'limit-exceeded',
        `append samples: out-of-order samples fill ${OUT_OF_ORDER_BYTES_MAX} bytes, try again when they are in blocks`,
      );
    }
    for (let i = 0; i < samples.length; i++) {
      const ref = samples.refs[i]!;
      const time = samples.times[i]!;
      const held = store.compare(ref, time, samples.values, i);
      verdicts[i] = held === Held.nothing ? this.#compareInOrder(arena, slots[i]!, i) : held;
    }
    const order = this.#sorted();
    this.#judgeRepetitions(order);
    this.#judgeStaged(order, arena, count);
    for (let i = 0; i < samples.length; i++) {
      if (verdicts[i] === Held.nothing) this.fresh++;
      else if (verdicts[i] === Held.identical) this.identical++;
    }
  }

  /** What is new as a samples record of the log; valid until the next call. At least one sample is. */
  encode(): Uint8Array {
    return this.#writer.encode(this.samples, i => this.verdicts[i] === Held.nothing)!;
  }

  /** Adds what is new to the store. */
  apply(store: OutOfOrderStore): void {
    const { refs, times, values, length } = this.samples;
    for (let i = 0; i < length; i++) {
      if (this.verdicts[i] === Held.nothing) store.insert(refs[i]!, times[i]!, values, i);
    }
  }

  #compareInOrder(arena: SeriesArena, slot: number, index: number): number {
    const { times, values } = this.samples;
    const time = times[index]!;
    if (!arena.hasSamplesIn(slot, time, time)) return Held.nothing;
    const found = this.#found;
    found.clear();
    arena.decodeInto(slot, time, time, found);
    if (found.length === 0) return Held.nothing;
    return sameBits(found.values, 0, values, index) ? Held.identical : Held.different;
  }

  /** Candidates by series, time and arrival. */
  #sorted(): Uint32Array {
    const { slots } = this;
    const { times, length } = this.samples;
    const order = new Uint32Array(length);
    let sorted = true;
    for (let i = 0; i < length; i++) {
      order[i] = i;
      if (i > 0 && this.#compare(i - 1, slots[i]!, times[i]!) > 0) sorted = false;
    }
    if (sorted) return order;
    return order.sort((a, b) => this.#compare(a, slots[b]!, times[b]!) || a - b);
  }

  #compare(index: number, slot: number, time: number): number {
    return this.slots[index]! - slot || this.samples.times[index]! - time;
  }

  /** Of candidates with one series and time the first may be new, the others are judged against it. */
  #judgeRepetitions(order: Uint32Array): void {
    const { slots, verdicts } = this;
    const { times, values } = this.samples;
    for (let i = 1, first = order[0]!; i < order.length; i++) {
      const one = order[i]!;
      if (this.#compare(first, slots[one]!, times[one]!) !== 0) first = one;
      else if (verdicts[first] === Held.nothing) {
        verdicts[one] = sameBits(values, first, values, one) ? Held.identical : Held.different;
      }
    }
  }

  #judgeStaged(order: Uint32Array, arena: SeriesArena, count: number): void {
    let newest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.length; i++) newest = Math.max(newest, this.samples.times[i]!);
    const { slots, times, values, status } = arena.batch(count);
    for (let i = 0; i < count; i++) {
      if (status[i] !== SampleStatus.accepted || times[i]! > newest) continue;
      let at = this.#place(order, slots[i]!, times[i]!);
      for (; at < order.length && this.#compare(order[at]!, slots[i]!, times[i]!) === 0; at++) {
        const one = order[at]!;
        const same = sameBits(values, i, this.samples.values, one);
        this.verdicts[one] = same ? Held.identical : Held.different;
      }
    }
  }

  /** The first place in `order` that is not before the series and time. */
  #place(order: Uint32Array, slot: number, time: number): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(order[middle]!, slot, time) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
