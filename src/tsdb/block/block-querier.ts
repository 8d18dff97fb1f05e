// Selections over one block. A batch is planned from the index, its chunks are fetched with a few merged
// reads, and decoding is synchronous.

import { compareStrings } from '../../labels/compare.ts';
import { type Matcher, matchesAll } from '../../labels/matcher.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { LabelAnswer, Querier, SelectOptions } from '../../storage/queryable.ts';
import type { SeriesSet } from '../../storage/series.ts';
import { emptySeriesSet } from '../../storage/series-list.ts';
import type { IndexReader } from '../index/index-reader.ts';
import { intersects } from '../index/postings.ts';
import { postingsForMatchers } from '../index/postings-for-matchers.ts';
import type { SymbolLookup } from '../index/symbols.ts';
import { BlockSeriesSet } from './block-series-set.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { BlockMeta } from './meta.ts';
import type { TimeInterval, Tombstones } from './tombstones.ts';

const SERIES_AT_ONCE = 1024;

/** What a block consists of, wherever its bytes lie. */
export interface BlockParts {
  readonly meta: BlockMeta;
  readonly index: IndexReader;
  readonly chunks: ChunkStore;
  readonly tombstones: Tombstones;
}

/** Reads one time range, both ends inclusive, of one block. */
export class BlockQuerier implements Querier {
  readonly #parts: BlockParts;
  readonly #range: TimeInterval;
  readonly #release: () => void;
  readonly #sets = new Set<SeriesSet>();
  #closed = false;

  /** `release` is called once, when the querier is closed. */
  constructor(parts: BlockParts, range: TimeInterval, release: () => void) {
    this.#parts = parts;
    this.#range = range;
    this.#release = release;
  }

  async select(matchers: readonly Matcher[], options: SelectOptions = {}): Promise<SeriesSet> {
    this.#check(options);
    if (!this.#overlaps()) return emptySeriesSet();
    const ids = await postingsForMatchers(this.#parts.index, matchers, options.signal);
    const set = new BlockSeriesSet(this.#parts, {
      ids,
      range: this.#range,
      labelsOnly: options.hints?.labelsOnly ?? false,
      limit: options.hints?.limit || Number.POSITIVE_INFINITY,
      ...(options.signal && { signal: options.signal }),
    });
    if (this.#closed) set.close();
    else this.#sets.add(set);
    return set;
  }

  async labelNames(
    matchers: readonly Matcher[],
    options: SelectOptions = {},
  ): Promise<LabelAnswer> {
    this.#check(options);
    if (!this.#overlaps()) return answer([], options);
    const { index } = this.#parts;
    const all = index.labelNames();
    if (matchers.length === 0) return answer(all, options);
    const ids = await postingsForMatchers(index, matchers, options.signal);
    const names = new Set<string>();
    await this.#forEachBatch(ids, options.signal, (symbols, lookup) => {
      const refs = new Set<number>();
      for (let i = 0; i < symbols.length; i += 2) refs.add(symbols[i]!);
      for (const ref of refs) names.add(lookup(ref));
      return names.size < all.length;
    });
    return answer([...names].sort(compareStrings), options);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    options: SelectOptions = {},
  ): Promise<LabelAnswer> {
    this.#check(options);
    if (!this.#overlaps()) return answer([], options);
    const { index } = this.#parts;
    const { signal } = options;
    const own = matchers.filter(matcher => matcher.name === name);
    const accepts = (value: string): boolean => matchesAll(own, () => value);
    if (own.length === matchers.length) {
      return answer(await index.labelValues(name, accepts, signal), options);
    }
    const ids = await postingsForMatchers(index, matchers, signal);
    const values = new Set<string>();
    // Few series are read themselves; else every value's list is held against the selection.
    if (ids.length <= index.valueCount(name)) {
      await this.#forEachBatch(ids, signal, (symbols, lookup) => {
        for (let i = 0; i < symbols.length; i += 2) {
          if (lookup(symbols[i]!) === name) values.add(lookup(symbols[i + 1]!));
        }
        return true;
      });
    } else {
      await index.forEachList(
        name,
        (value, list) => {
          if (accepts(value) && intersects(ids, list)) values.add(value);
        },
        signal,
      );
    }
    return answer([...values].sort(compareStrings), options);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const set of this.#sets) set.close();
    this.#release();
  }

  /** Visits the label pairs of the series, some at a time, until `visit` answers false. */
  async #forEachBatch(
    ids: Uint32Array,
    signal: AbortSignal | undefined,
    visit: (symbols: readonly number[], lookup: SymbolLookup) => boolean,
  ): Promise<void> {
    const { index } = this.#parts;
    for (let at = 0; at < ids.length; at += SERIES_AT_ONCE) {
      const { symbols } = await index.series(ids.subarray(at, at + SERIES_AT_ONCE), null, signal);
      if (!visit(symbols, await index.symbols(symbols, signal))) return;
    }
  }

  #overlaps(): boolean {
    const { minTime, maxTime } = this.#parts.meta;
    // A block with one moment only says minTime = maxTime although maxTime is exclusive.
    const last = Math.max(minTime, maxTime - 1);
    return this.#range.minTime <= last && this.#range.maxTime >= minTime;
  }

  #check({ signal }: SelectOptions): void {
    if (signal?.aborted) throw OutpostError.from(signal.reason);
    if (this.#closed) throw new OutpostError('unavailable', 'read from a closed querier');
  }
}

function answer(values: readonly string[], options: SelectOptions): LabelAnswer {
  const limit = options.hints?.limit || values.length;
  return { values: values.slice(0, limit), warnings: [] };
}
