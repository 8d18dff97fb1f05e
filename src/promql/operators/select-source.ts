// Series from storage.

import { METRIC_NAME } from '../../labels/labels.ts';
import type { Matcher } from '../../labels/matcher.ts';
import type { Querier, SelectHints } from '../../storage/queryable.ts';
import type { SeriesSet } from '../../storage/series.ts';
import type { Execution } from '../execution.ts';
import type { Distinctness, RangeSeries, RangeSource } from './operator.ts';

/** What to read: samples with minTime ≤ t ≤ maxTime. */
export interface Selection {
  readonly matchers: readonly Matcher[];
  readonly minTime: number;
  readonly maxTime: number;
  readonly hints: SelectHints;
}

/** Reads one selection; nothing happens before the first `next()`. */
export class SelectSource implements RangeSource {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #selection: Selection;
  #querier: Querier | null = null;
  #set: SeriesSet | null = null;

  constructor(execution: Execution, selection: Selection) {
    this.#execution = execution;
    this.#selection = selection;
    const oneName = selection.matchers.some(m => m.name === METRIC_NAME && m.type === '=');
    this.distinct = { full: true, nameless: oneName };
  }

  async next(): Promise<readonly RangeSeries[] | null> {
    this.#set ??= await this.#open();
    const batch = await this.#set.next();
    if (batch === null) {
      for (const warning of this.#set.warnings) this.#execution.annotations.addForeign(warning);
      this.close();
      return null;
    }
    this.#execution.countSeries(batch.length);
    return batch;
  }

  close(): void {
    this.#set?.close();
    this.#querier?.close();
    this.#querier = null;
  }

  #open(): Promise<SeriesSet> {
    const { matchers, minTime, maxTime, hints } = this.#selection;
    this.#querier = this.#execution.queryable.querier(minTime, maxTime);
    return this.#querier.select(matchers, {
      hints,
      signal: this.#execution.signal,
      onReceived: bytes => this.#execution.countReceived(bytes),
    });
  }
}
