// Which names, values and pairs of labels the head's series have most of, for whoever looks for the cause of
// too many series. Shapes follow prometheus/prometheus tsdb/index/postings.go (Stats).

import { compareStrings } from '../../labels/compare.ts';
import { METRIC_NAME } from '../../labels/labels.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import type { HeadIndex } from './head-index.ts';

/** A name with a number. */
export interface Statistic {
  readonly name: string;
  readonly value: number;
}

/** The largest of each kind, largest first. */
export interface LabelStatistics {
  /** Different pairs of name and value. */
  readonly labelPairs: number;
  readonly seriesCountByMetricName: readonly Statistic[];
  readonly labelValueCountByLabelName: readonly Statistic[];
  /** Bytes of the label's name and value, once for each series that has it. */
  readonly memoryInBytesByLabelName: readonly Statistic[];
  readonly seriesCountByLabelValuePair: readonly Statistic[];
}

const SLICE_PAIRS = 4096;

/** Walks all postings lists, giving way between; a list that changes meanwhile counts as it is found. */
export async function labelStatistics(
  index: HeadIndex,
  limit: number,
  slicer: Slicer,
): Promise<LabelStatistics> {
  const metrics = new Largest(limit);
  const values = new Largest(limit);
  const bytes = new Largest(limit);
  const pairs = new Largest(limit);
  let labelPairs = 0;
  for (const nameSymbol of [...index.lists.names()]) {
    const name = index.symbols.text(nameSymbol);
    let count = 0;
    let size = 0;
    for (const valueSymbol of [...index.lists.values(nameSymbol)]) {
      const series = index.lists.count(nameSymbol, valueSymbol);
      if (series === 0) continue;
      const value = index.symbols.text(valueSymbol);
      count++;
      size += (textBytes(name) + textBytes(value)) * series;
      if (name === METRIC_NAME) metrics.add(value, series);
      if (pairs.wants(series)) pairs.add(`${name}=${value}`, series);
      if (++labelPairs % SLICE_PAIRS === 0 && slicer.due) await slicer.pause();
    }
    values.add(name, count);
    bytes.add(name, size);
  }
  return {
    labelPairs,
    seriesCountByMetricName: metrics.sorted(),
    labelValueCountByLabelName: values.sorted(),
    memoryInBytesByLabelName: bytes.sorted(),
    seriesCountByLabelValuePair: pairs.sorted(),
  };
}

/** A text as upstream holds it: its bytes behind a length of one byte, or of four where it is long. */
function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return bytes + (bytes < 255 ? 1 : 4);
}

/** The largest few of many. */
class Largest {
  readonly #limit: number;
  #held: Statistic[] = [];
  /** No smaller one is among the largest. */
  #least = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  wants(value: number): boolean {
    return value >= this.#least;
  }

  add(name: string, value: number): void {
    if (value < this.#least) return;
    this.#held.push({ name, value });
    if (this.#held.length >= this.#limit * 2 + 64) this.#trim();
  }

  sorted(): readonly Statistic[] {
    this.#trim();
    return this.#held;
  }

  #trim(): void {
    this.#held.sort((a, b) => b.value - a.value || compareStrings(a.name, b.name));
    this.#held = this.#held.slice(0, this.#limit);
    if (this.#held.length === this.#limit) this.#least = this.#held.at(-1)!.value;
  }
}
