// Many label-sorted series sets as one. Equal label sets, from several inputs or next to each other in
// one, become one series.

import { ChainedSeries, MergeScratch } from './chained-series.ts';
import { LoserTree } from './loser-tree.ts';
import type { Series, SeriesSet } from './series.ts';
import { detachSeries, emptySeriesSet } from './series-list.ts';

/** Makes one series of all that have the same labels (one or more), in the order of their sets. */
export type CombineSeries = (group: readonly Series[]) => Series;

export interface MergeOptions {
  /** Default: a group of several is chained. */
  readonly combine?: CombineSeries;
}

/** Merges sets that are each sorted by labels; takes them over, so closing the result closes them. */
export function mergeSeriesSets(sets: readonly SeriesSet[], options: MergeOptions = {}): SeriesSet {
  if (sets.length === 0) return emptySeriesSet();
  if (sets.length === 1 && !options.combine) return sets[0]!;
  return new MergedSeriesSet(sets, options.combine ?? newChaining());
}

function newChaining(): CombineSeries {
  const scratch = new MergeScratch();
  return group => (group.length === 1 ? group[0]! : new ChainedSeries(group, scratch));
}

/** One input: its current batch and the place in it; `batch` is null once it has ended. */
interface Input {
  readonly set: SeriesSet;
  batch: readonly Series[] | null;
  at: number;
}

/** Stands for the input of a series that has been copied. */
const DETACHED = -1;

interface Member {
  input: number;
  series: Series;
}

/**
 * A batch goes out as soon as any input has used up its own: that input cannot move on before, because
 * its series are valid only until it does. A group that may go on in the next batch is held back, and
 * what it holds of the old batch is copied first.
 */
class MergedSeriesSet implements SeriesSet {
  readonly #inputs: Input[];
  readonly #combine: CombineSeries;
  #tree: LoserTree | null = null;
  #group: Member[] = [];
  #closed = false;

  constructor(sets: readonly SeriesSet[], combine: CombineSeries) {
    this.#inputs = sets.map(set => ({ set, batch: null, at: 0 }));
    this.#combine = combine;
  }

  get lasting(): boolean {
    return this.#inputs.every(input => input.set.lasting);
  }

  get warnings(): readonly string[] {
    return [...new Set(this.#inputs.flatMap(input => input.set.warnings))];
  }

  async next(): Promise<readonly Series[] | null> {
    if (this.#closed) return null;
    const out: Series[] = [];
    const tree = this.#tree ?? (this.#tree = await this.#start());
    while (out.length === 0) {
      const winner = this.#inputs[tree.winner]!;
      if (winner.batch && winner.at >= winner.batch.length) {
        this.#detachGroup(tree.winner);
        await this.#advance(winner);
        tree.replay();
      }
      this.#fill(tree, out);
      if (this.#inputs[tree.winner]!.batch === null) {
        this.#endGroup(out);
        break;
      }
    }
    return out.length > 0 ? out : null;
  }

  close(): void {
    this.#closed = true;
    for (const input of this.#inputs) input.set.close();
  }

  async #start(): Promise<LoserTree> {
    await Promise.all(this.#inputs.map(input => this.#advance(input)));
    return new LoserTree(this.#inputs.length, (a, b) => this.#precedes(a, b));
  }

  async #advance(input: Input): Promise<void> {
    input.batch = await input.set.next();
    input.at = 0;
  }

  /** Takes series until the winner's batch is used up or all inputs have ended. */
  #fill(tree: LoserTree, out: Series[]): void {
    for (;;) {
      const input = this.#inputs[tree.winner]!;
      const series = input.batch?.[input.at];
      if (!series) return;
      const first = this.#group[0]?.series;
      if (first && first.labels.compareTo(series.labels) !== 0) {
        this.#endGroup(out);
      }
      this.#group.push({ input: tree.winner, series });
      input.at++;
      if (input.at >= input.batch!.length) return;
      tree.replay();
    }
  }

  #endGroup(out: Series[]): void {
    if (this.#group.length === 0) return;
    out.push(this.#combine(this.#group.map(member => member.series)));
    this.#group = [];
  }

  #detachGroup(input: number): void {
    for (const member of this.#group) {
      if (member.input !== input || this.#inputs[input]!.set.lasting) continue;
      member.series = detachSeries(member.series);
      member.input = DETACHED;
    }
  }

  #precedes(a: number, b: number): boolean {
    const x = this.#current(a);
    const y = this.#current(b);
    if (!x) return false;
    if (!y) return true;
    const order = x.labels.compareTo(y.labels);
    return order < 0 || (order === 0 && a < b);
  }

  #current(index: number): Series | undefined {
    const input = this.#inputs[index]!;
    return input.batch?.[input.at];
  }
}
