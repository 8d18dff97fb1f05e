// Selections over the head. A selection fixes, at one moment, which series it has and up to which sample
// each is read: batches that arrive later are not seen, those before are seen whole. Out-of-order samples are
// read from generations that outlive their way to blocks, so they need no lease.

import { compareStrings } from '../../labels/compare.ts';
import { type Matcher, matchesAll } from '../../labels/matcher.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { LabelAnswer, Querier, SelectOptions } from '../../storage/queryable.ts';
import type { SeriesSet } from '../../storage/series.ts';
import { emptySeriesSet } from '../../storage/series-list.ts';
import type { TimeInterval } from '../block/tombstones.ts';
import { intersects } from '../index/postings.ts';
import { type PostingsSource, postingsForMatchers } from '../index/postings-for-matchers.ts';
import { sortedOrder } from '../index/sort-sliced.ts';
import type { Head } from './head.ts';
import { HeadSeriesSet } from './head-series-set.ts';
import type { Generation } from './out-of-order/generation.ts';
import { OutOfOrderSnapshot } from './out-of-order/snapshot.ts';
import { generationsFrom } from './out-of-order/store.ts';
import type { ReadLease } from './read-leases.ts';
import { slicedPostings } from './sliced-postings.ts';

const SLICE_SERIES = 1024;
const SLICE_VALUES = 64;

/** Reads one time range, both ends inclusive, of a head. */
export class HeadQuerier implements Querier {
  readonly #head: Head;
  readonly #range: TimeInterval;
  /** The part of the range that is not in blocks yet. */
  readonly #inOrderRange: TimeInterval;
  readonly #outOfOrder: Generation;
  readonly #lease: ReadLease;
  #closed = false;

  constructor(head: Head, range: TimeInterval) {
    this.#head = head;
    this.#range = range;
    this.#inOrderRange = { ...range, minTime: Math.max(range.minTime, head.visibleFrom) };
    this.#outOfOrder = head.outOfOrder.oldest;
    this.#lease = head.leases.take(this.#inOrderRange.minTime);
  }

  async select(matchers: readonly Matcher[], options: SelectOptions = {}): Promise<SeriesSet> {
    if (!this.#ready(options)) return emptySeriesSet();
    const { order } = this.#head;
    let refs = await postingsForMatchers(this.#source(options), matchers, options.signal);
    if (options.hints?.sorted) refs = await order.sort(refs, this.#slicer(options));
    return new HeadSeriesSet(this.#head, {
      refs,
      range: this.#inOrderRange,
      outOfOrder: new OutOfOrderSnapshot(generationsFrom(this.#outOfOrder), this.#range),
      lease: this.#lease,
      labelsOnly: options.hints?.labelsOnly ?? false,
      newestOnly: options.hints?.newestOnly ?? false,
      limit: options.hints?.limit || Number.POSITIVE_INFINITY,
      ...(options.signal && { signal: options.signal }),
    });
  }

  async labelNames(
    matchers: readonly Matcher[],
    options: SelectOptions = {},
  ): Promise<LabelAnswer> {
    if (!this.#ready(options)) return this.#answer([], options);
    const { index } = this.#head;
    if (matchers.length === 0) {
      return this.#answer(this.#texts(index.lists.names()), options);
    }
    const slicer = this.#slicer(options);
    // A symbol may come to mean another string while this gives way, so its text is taken at once.
    const names = new Map<number, string>();
    const refs = await postingsForMatchers(this.#source(options), matchers, options.signal);
    await this.#forEach(refs, slicer, slot => {
      const symbols = index.table.symbols(slot);
      for (let i = 0; i < symbols.length; i += 2) {
        if (!names.has(symbols[i]!)) names.set(symbols[i]!, index.symbols.text(symbols[i]!));
      }
    });
    return this.#answer([...new Set(names.values())], options);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    options: SelectOptions = {},
  ): Promise<LabelAnswer> {
    if (!this.#ready(options)) return this.#answer([], options);
    const { index } = this.#head;
    const own = matchers.filter(matcher => matcher.name === name);
    const rest = own.length < matchers.length;
    const refs = rest
      ? await postingsForMatchers(this.#source(options), matchers, options.signal)
      : null;
    const symbol = index.symbols.find(name);
    if (symbol < 0) return this.#answer([], options);
    if (refs && refs.length < index.lists.valueCount(symbol)) {
      const found = new Set<string>();
      await this.#forEach(refs, this.#slicer(options), slot => {
        const value = index.labelOf(slot, index.symbols.find(name));
        if (value !== '') found.add(value);
      });
      return this.#answer([...found], options);
    }
    const slicer = this.#slicer(options);
    const accepted: string[] = [];
    let visited = 0;
    // The iterator follows changes made while this gives way, and never yields a value that has gone.
    for (const value of index.lists.values(symbol)) {
      const text = index.symbols.text(value);
      if (matchesAll(own, () => text)) {
        if (refs === null || intersects(refs, index.lists.get(symbol, value))) accepted.push(text);
      }
      if (++visited % SLICE_VALUES === 0 && slicer.due) await slicer.pause();
    }
    return this.#answer(accepted, options);
  }

  close(): void {
    this.#closed = true;
    this.#lease.release();
  }

  /** False where the head has nothing in range. Throws where the querier can no longer be used. */
  #ready({ signal }: SelectOptions): boolean {
    if (signal?.aborted) throw OutpostError.from(signal.reason);
    if (this.#closed) throw new OutpostError('unavailable', 'read from a closed querier');
    this.#lease.check();
    const { minTime, maxTime } = this.#inOrderRange;
    if (minTime <= this.#head.maxTime && maxTime >= this.#head.minTime) return true;
    return !new OutOfOrderSnapshot(generationsFrom(this.#outOfOrder), this.#range).isEmpty;
  }

  #slicer({ signal }: SelectOptions): Slicer {
    return new Slicer(() => this.#head.options.clock.monotonic(), signal);
  }

  #source(options: SelectOptions): PostingsSource {
    return slicedPostings(this.#head.index, this.#slicer(options));
  }

  async #forEach(refs: Uint32Array, slicer: Slicer, visit: (slot: number) => void): Promise<void> {
    const { table } = this.#head.index;
    for (let i = 0; i < refs.length; i++) {
      const slot = table.slotOf(refs[i]!);
      if (slot >= 0) visit(slot);
      if (i % SLICE_SERIES === 0 && slicer.due) await slicer.pause();
    }
  }

  #texts(symbols: Iterable<number>): string[] {
    return Array.from(symbols, symbol => this.#head.index.symbols.text(symbol));
  }

  async #answer(texts: readonly string[], options: SelectOptions): Promise<LabelAnswer> {
    const limit = options.hints?.limit || texts.length;
    const slicer = this.#slicer(options);
    const compare = (a: number, b: number): number => compareStrings(texts[a]!, texts[b]!);
    const order = (await sortedOrder(texts.length, compare, slicer)).subarray(0, limit);
    const values: string[] = [];
    for (let i = 0; i < order.length; i++) {
      values.push(texts[order[i]!]!);
      if (i % SLICE_SERIES === 0 && slicer.due) await slicer.pause();
    }
    return { values, warnings: [] };
  }
}
