// Penalty deduplication: one series out of replicas that were scraped apart. It follows one replica as
// long as that keeps its cadence and changes over after a gap of roughly two intervals. The decisions
// are those of Thanos' query-time deduplication (pkg/dedup), so that both give the same answer.

import type { SampleColumns } from './samples.ts';
import { appendColumns } from './series-list.ts';
import { isStaleAt } from './stale.ts';

/** Penalty before the first interval is known, ms. */
const INITIAL_PENALTY_MS = 5000;

/** A position in one replica, or in the fold of several. */
interface Cursor {
  /** Time of the current sample; meaningless once ended. */
  time: number;
  /** Moves to the first sample at or after `time`; once there is none, it has ended: false. */
  seek(time: number): boolean;
  /** The current value as it is emitted; null where it is a histogram. */
  value(): number | null;
  /** In counter mode: lifts all later values so that the current one is not below `last`. */
  adjust(last: number): void;
  /** Hands over the current sample. */
  emit(runs: Runs): void;
}

/** Collects samples that lie next to each other, so that they are copied together. */
class Runs {
  readonly #out: SampleColumns;
  #source: SampleColumns | null = null;
  #from = 0;
  #to = 0;
  #lift = 0;

  constructor(out: SampleColumns) {
    this.#out = out;
  }

  add(source: SampleColumns, at: number, lift: number): void {
    if (source !== this.#source || at !== this.#to || lift !== this.#lift) {
      this.flush();
      this.#source = source;
      this.#from = at;
      this.#lift = lift;
    }
    this.#to = at + 1;
  }

  flush(): void {
    if (!this.#source) return;
    const out = this.#out;
    const start = out.length;
    appendColumns(out, this.#source, this.#from, this.#to);
    this.#source = null;
    if (this.#lift === 0) return;
    for (let i = start; i < out.length; i++) {
      if (!isStaleAt(out.values, i)) out.values[i]! += this.#lift;
    }
  }
}

class ReplicaCursor implements Cursor {
  time = 0;
  readonly #columns: SampleColumns;
  #at = 0;
  #lift = 0;

  constructor(columns: SampleColumns) {
    this.#columns = columns;
  }

  seek(time: number): boolean {
    const { times, length } = this.#columns;
    let at = this.#at;
    // A penalty may have shrunk since the last step, so the position may lie before the current one.
    while (at > 0 && times[at - 1]! >= time) at--;
    while (at < length && times[at]! < time) at++;
    this.#at = at;
    if (at >= length) return false;
    this.time = times[at]!;
    return true;
  }

  value(): number | null {
    if (this.#columns.histograms?.[this.#at]) return null;
    return this.#columns.values[this.#at]! + this.#lift;
  }

  adjust(last: number): void {
    const value = this.value();
    if (value !== null && last > value) this.#lift += last - value;
  }

  emit(runs: Runs): void {
    runs.add(this.#columns, this.#at, this.#lift);
  }
}

class FoldCursor implements Cursor {
  time = Number.NEGATIVE_INFINITY;
  readonly #a: Cursor;
  readonly #b: Cursor;
  readonly #counter: boolean;
  #hasA: boolean;
  #hasB: boolean;
  #penaltyA = 0;
  #penaltyB = 0;
  #useA = true;

  constructor(a: Cursor, b: Cursor, counter: boolean) {
    this.#a = a;
    this.#b = b;
    this.#counter = counter;
    this.#hasA = a.seek(Number.NEGATIVE_INFINITY);
    this.#hasB = b.seek(Number.NEGATIVE_INFINITY);
  }

  // Never skips ahead in the inputs: which replica is followed must not depend on where a reader seeks.
  seek(time: number): boolean {
    if (this.time !== Number.NEGATIVE_INFINITY && this.time >= time) return true;
    do {
      if (!this.#step()) return false;
    } while (this.time < time);
    return true;
  }

  value(): number | null {
    return this.#current().value();
  }

  adjust(last: number): void {
    if (this.#hasA) this.#a.adjust(last);
    if (this.#hasB) this.#b.adjust(last);
  }

  emit(runs: Runs): void {
    this.#current().emit(runs);
  }

  #current(): Cursor {
    return this.#useA ? this.#a : this.#b;
  }

  #step(): boolean {
    const usedA = this.#useA;
    const hadCurrent = usedA ? this.#hasA : this.#hasB;
    const last = this.#counter && hadCurrent ? this.value() : null;
    const found = this.#choose();
    if (last !== null && this.#useA !== usedA) this.adjust(last);
    return found;
  }

  #choose(): boolean {
    const previous = this.time;
    if (this.#hasA) this.#hasA = this.#a.seek(previous + 1 + this.#penaltyA);
    if (this.#hasB) this.#hasB = this.#b.seek(previous + 1 + this.#penaltyB);
    if (!this.#hasA || !this.#hasB) {
      this.#useA = this.#hasA;
      if (this.#hasA) this.#penaltyA = 0;
      if (this.#hasB) this.#penaltyB = 0;
    } else {
      this.#useA = this.#a.time <= this.#b.time;
      const time = this.#current().time;
      const first = previous === Number.NEGATIVE_INFINITY;
      const penalty = first ? INITIAL_PENALTY_MS : 2 * (time - previous);
      this.#penaltyA = this.#useA ? 0 : penalty;
      this.#penaltyB = this.#useA ? penalty : 0;
    }
    if (!this.#hasA && !this.#hasB) return false;
    this.time = this.#current().time;
    return true;
  }
}

/**
 * Appends to `out` what penalty deduplication leaves of the replicas, each in time order, folded from
 * left to right. In counter mode values are lifted at a switch so that the result does not go down.
 */
export function dedupByPenalty(
  replicas: readonly SampleColumns[],
  counter: boolean,
  out: SampleColumns,
): void {
  const [first, ...rest] = replicas;
  if (!first) return;
  let cursor: Cursor = new ReplicaCursor(first);
  for (const replica of rest) cursor = new FoldCursor(cursor, new ReplicaCursor(replica), counter);
  const runs = new Runs(out);
  for (let more = cursor.seek(Number.NEGATIVE_INFINITY); more; ) {
    cursor.emit(runs);
    more = cursor.seek(cursor.time + 1);
  }
  runs.flush();
}
