// Several stores as one: blocks and head of a database, or peers that all have to answer. An error of
// one is an error of the whole; who wants partial answers turns errors into warnings before.

import { compareStrings } from '../labels/compare.ts';
import { limitSeries } from './limited-set.ts';
import { mergeSeriesSets } from './merge.ts';
import type { LabelAnswer, Querier, Queryable, SelectOptions } from './queryable.ts';
import type { SeriesSet } from './series.ts';

/** The union of the stores that `list` returns at the time a querier is made. */
export function mergeQueryables(list: () => readonly Queryable[]): Queryable {
  return {
    querier: (minTime, maxTime) =>
      mergeQueriers(list().map(queryable => queryable.querier(minTime, maxTime))),
  };
}

/** The union of queriers over the same time range; takes them over. */
export function mergeQueriers(queriers: readonly Querier[]): Querier {
  if (queriers.length === 1) return queriers[0]!;
  return {
    async select(matchers, options) {
      const sets = await selectAll(
        queriers.map(querier => querier.select(matchers, sorted(options))),
      );
      return limitSeries(mergeSeriesSets(sets), options?.hints?.limit ?? 0);
    },
    labelNames: async (matchers, options) =>
      limited(
        unionAnswers(await Promise.all(queriers.map(q => q.labelNames(matchers, options)))),
        options,
      ),
    labelValues: async (name, matchers, options) =>
      limited(
        unionAnswers(await Promise.all(queriers.map(q => q.labelValues(name, matchers, options)))),
        options,
      ),
    close() {
      for (const querier of queriers) querier.close();
    },
  };
}

/** The same options, asking for series in label order. */
export function sorted(options: SelectOptions | undefined): SelectOptions {
  return { ...options, hints: { ...options?.hints, sorted: true } };
}

/** Values and warnings of all answers, sorted and unique. */
export function unionAnswers(answers: readonly LabelAnswer[]): LabelAnswer {
  const [only] = answers;
  if (answers.length === 1) return only!;
  const values = [...new Set(answers.flatMap(answer => answer.values))].sort(compareStrings);
  return { values, warnings: [...new Set(answers.flatMap(answer => answer.warnings))] };
}

/** An answer's first values, as many as the hints allow. */
export function limited(answer: LabelAnswer, options: SelectOptions | undefined): LabelAnswer {
  const limit = options?.hints?.limit ?? 0;
  if (limit <= 0 || answer.values.length <= limit) return answer;
  return { ...answer, values: answer.values.slice(0, limit) };
}

// Where one selection is refused, the sets of the others must not be left open.
async function selectAll(selections: readonly Promise<SeriesSet>[]): Promise<SeriesSet[]> {
  const settled = await Promise.allSettled(selections);
  const sets = settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = settled.find(one => one.status === 'rejected');
  if (!refused) return sets;
  for (const set of sets) set.close();
  throw refused.reason;
}
