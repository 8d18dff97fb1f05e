// LabelNames and LabelValues: the store's own answer with the external labels worked in.

import { compareStrings } from '../labels/compare.ts';
import type { Labels } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { LabelAnswer, Querier } from '../storage/queryable.ts';
import { stripExternal } from './external-labels.ts';
import type { LabelValuesQuery, StoreRequest } from './requests.ts';
import type { StoreSource } from './store-source.ts';

export interface LabelCallOptions {
  readonly source: StoreSource;
  readonly external: Labels;
  readonly signal: AbortSignal;
}

const NOTHING: LabelAnswer = { values: [], warnings: [] };

/** External names are added only where the store has any of its own. */
export async function answerLabelNames(
  query: StoreRequest,
  options: LabelCallOptions,
): Promise<LabelAnswer> {
  const matchers = stripExternal(query.matchers, options.external);
  if (!matchers) return NOTHING;
  const answer = await withQuerier(query, options, querier =>
    querier.labelNames(matchers, { signal: options.signal }),
  );
  if (answer.values.length === 0) return checked(query, answer);
  const external = [...options.external].map(([name]) => name);
  const names = [...new Set([...answer.values, ...external])].filter(
    name => !query.withoutReplicaLabels.includes(name),
  );
  return checked(query, { ...answer, values: names.sort(compareStrings) });
}

/** An external label has one value, which is given where the matchers leave a series. */
export async function answerLabelValues(
  query: LabelValuesQuery,
  options: LabelCallOptions,
): Promise<LabelAnswer> {
  if (query.label === '') {
    throw new OutpostError('bad-data', 'label name parameter cannot be empty');
  }
  if (query.withoutReplicaLabels.includes(query.label)) return NOTHING;
  const matchers = stripExternal(query.matchers, options.external);
  if (!matchers) return NOTHING;
  const value = options.external.get(query.label);
  if (value !== '') {
    const found = matchers.length === 0 || (await anySeries(query, options, matchers));
    return found ? { values: [value], warnings: [] } : NOTHING;
  }
  const answer = await withQuerier(query, options, querier =>
    querier.labelValues(query.label, matchers, { signal: options.signal }),
  );
  return checked(query, answer);
}

async function anySeries(
  query: StoreRequest,
  options: LabelCallOptions,
  matchers: readonly Matcher[],
): Promise<boolean> {
  return withQuerier(query, options, async querier => {
    const hints = { labelsOnly: true, limit: 1 };
    const set = await querier.select(matchers, { hints, signal: options.signal });
    try {
      return (await set.next()) !== null;
    } finally {
      set.close();
    }
  });
}

async function withQuerier<T>(
  query: StoreRequest,
  { source }: LabelCallOptions,
  use: (querier: Querier) => Promise<T>,
): Promise<T> {
  const { withoutReplicaLabels: replicaLabels, partialResponse, minTime, maxTime } = query;
  const querier = source.open({ replicaLabels, partialResponse }).querier(minTime, maxTime);
  try {
    return await use(querier);
  } finally {
    querier.close();
  }
}

function checked(query: StoreRequest, answer: LabelAnswer): LabelAnswer {
  if (answer.warnings.length > 0 && !query.partialResponse) {
    throw new OutpostError('execution', answer.warnings.join('; '));
  }
  const { values } = answer;
  return query.limit > 0 && values.length > query.limit
    ? { ...answer, values: values.slice(0, query.limit) }
    : answer;
}
