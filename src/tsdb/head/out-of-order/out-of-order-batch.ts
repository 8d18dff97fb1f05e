// The samples of one commit that are older than their series' newest: judged against what is stored and
// against each other, written to their own log, applied.

import { SampleStatus, type SeriesArena } from '../../../kernels/series-arena.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import type { FloatHistogram } from '../../../storage/histogram.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import { setStale } from '../../../storage/stale.ts';
import { LoggedSamples, SamplesRecordWriter } from '../../wal/samples-record.ts';
import type { Head } from '../head.ts';
import type { StagedSample } from '../histograms/histogram-batch.ts';
import { encodeHistograms } from '../histograms/mixed-records.ts';
import { compareSamples, Held, type LateValues } from './held.ts';
import { OUT_OF_ORDER_BYTES_MAX, type OutOfOrderStore } from './store.ts';

/** One series' sample of a batch. */
export interface LateSample {
  readonly slot: number;
  readonly ref: number;
  readonly time: number;
}

/** What of a commit is about to be stored in order. */
export interface StagedBatch {
  /** Length of the arena's batch, which has been judged. */
  readonly count: number;
  /** Accepted samples of series with histograms. */
  readonly mixed: readonly StagedSample[];
}

const MARKER = new Float64Array(1);
setStale(MARKER, 0);

/** Columns of candidates with a verdict each. Used again by the next commit. */
export class OutOfOrderBatch implements LateValues {
  /** Refs, times and float values of the candidates in the order they were added. */
  readonly samples: LoggedSamples = new LoggedSamples();
  /** Histograms by candidate, where there are any. */
  histograms: (FloatHistogram | undefined)[] | null = null;
  slots: Uint32Array = new Uint32Array(this.samples.refs.length);
  /** One of `Held` for each candidate, once judged. */
  verdicts: Uint8Array = new Uint8Array(this.samples.refs.length);
  /** How many candidates are new, and how many of those are histograms; once judged. */
  fresh = 0;
  freshHistograms = 0;
  /** How many candidates are the same as what is stored, and how many of those are histograms. */
  identical = 0;
  identicalHistograms = 0;
  readonly #found = new SampleColumns(4);
  readonly #writer = new SamplesRecordWriter();

  get length(): number {
    return this.samples.length;
  }

  get values(): Float64Array {
    return this.samples.values;
  }

  /** Makes room for `count` candidates; those held are forgotten. */
  clear(count: number): void {
    this.samples.clear(count);
    this.histograms = null;
    this.fresh = 0;
    this.freshHistograms = 0;
    this.identical = 0;
    this.identicalHistograms = 0;
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

  /** Adds a histogram that can be stored, or a staleness marker where it is null. */
  addHistogram(sample: LateSample, histogram: FloatHistogram | null): void {
    this.add(sample, MARKER, 0);
    if (histogram) (this.histograms ??= [])[this.length - 1] = histogram;
  }

  /**
   * Judges the candidates against stored samples, against those that are about to be stored, and in their
   * order against each other. Throws `limit-exceeded` where out-of-order samples fill their memory.
   */
  judge(head: Head, { count, mixed }: StagedBatch): void {
    const { samples, verdicts } = this;
    if (samples.length === 0) return;
    const store = head.outOfOrder;
    if (store.bytes > OUT_OF_ORDER_BYTES_MAX) {
      throw new OutpostError(
        'limit-exceeded',
        `append samples: out-of-order samples fill ${OUT_OF_ORDER_BYTES_MAX} bytes, try again when they are in blocks`,
      );
    }
    for (let i = 0; i < samples.length; i++) {
      const held = store.compare(samples.refs[i]!, samples.times[i]!, this, i);
      verdicts[i] = held === Held.nothing ? this.#compareInOrder(head, i) : held;
    }
    const order = this.#sorted();
    this.#judgeRepetitions(order);
    this.#judgeStaged(order, head.arena, count);
    for (const one of mixed) this.#judgeMixed(order, one);
    for (let i = 0; i < samples.length; i++) {
      const histogram = this.histograms?.[i] ? 1 : 0;
      if (verdicts[i] === Held.nothing) {
        this.fresh++;
        this.freshHistograms += histogram;
      } else if (verdicts[i] === Held.identical) {
        this.identical++;
        this.identicalHistograms += histogram;
      }
    }
  }

  /** What is new as records of the log. At least one sample is; a record of floats is valid until the next call. */
  encode(): Uint8Array[] {
    const { samples, histograms, verdicts } = this;
    const isNew = (i: number): boolean => verdicts[i] === Held.nothing;
    const floats = this.#writer.encode(samples, i => isNew(i) && !histograms?.[i]);
    const records = floats ? [floats] : [];
    if (!histograms) return records;
    const fresh: { ref: number; time: number; histogram: FloatHistogram }[] = [];
    for (const [i, histogram] of histograms.entries()) {
      if (!histogram || !isNew(i)) continue;
      fresh.push({ ref: samples.refs[i]!, time: samples.times[i]!, histogram });
    }
    return [...records, ...encodeHistograms(fresh)];
  }

  /** Adds what is new to the store. */
  apply(store: OutOfOrderStore): void {
    const { refs, times, length } = this.samples;
    for (let i = 0; i < length; i++) {
      if (this.verdicts[i] === Held.nothing) store.insert(refs[i]!, times[i]!, this, i);
    }
    this.histograms = null;
  }

  #compareInOrder({ arena, histograms }: Head, index: number): number {
    const slot = this.slots[index]!;
    const time = this.samples.times[index]!;
    const found = this.#found;
    found.clear();
    if (arena.hasSamplesIn(slot, time, time)) arena.decodeInto(slot, time, time, found);
    const mixed = histograms.size > 0 ? histograms.get(slot) : undefined;
    if (mixed?.overlaps(time, time)) mixed.samples(time, time, found);
    return found.length === 0 ? Held.nothing : compareSamples(found, 0, this, index);
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
    const { times } = this.samples;
    for (let i = 1, first = order[0]!; i < order.length; i++) {
      const one = order[i]!;
      if (this.#compare(first, slots[one]!, times[one]!) !== 0) first = one;
      else if (verdicts[first] === Held.nothing) {
        verdicts[one] = compareSamples(this, first, this, one);
      }
    }
  }

  #judgeStaged(order: Uint32Array, arena: SeriesArena, count: number): void {
    let newest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.length; i++) newest = Math.max(newest, this.samples.times[i]!);
    const { slots, times, values, status } = arena.batch(count);
    const staged = { values, histograms: null };
    for (let i = 0; i < count; i++) {
      if (status[i] !== SampleStatus.accepted || times[i]! > newest) continue;
      const at = this.#place(order, slots[i]!, times[i]!);
      for (let n = at; this.#isAt(order[n], slots[i]!, times[i]!); n++) {
        this.verdicts[order[n]!] = compareSamples(staged, i, this, order[n]!);
      }
    }
  }

  #judgeMixed(order: Uint32Array, { slot, sample }: StagedSample): void {
    const { time, kind, histogram, value } = sample;
    const values = kind === 'float' ? value : MARKER;
    const staged = { values, histograms: histogram && [histogram] };
    for (let n = this.#place(order, slot, time); this.#isAt(order[n], slot, time); n++) {
      this.verdicts[order[n]!] = compareSamples(staged, 0, this, order[n]!);
    }
  }

  #isAt(candidate: number | undefined, slot: number, time: number): boolean {
    return candidate !== undefined && this.#compare(candidate, slot, time) === 0;
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
