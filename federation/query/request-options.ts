// The querier's own request parameters: dedup, replicaLabels[], partial_response, storeMatch[].

import type { Parameters } from '../../src/httpapi/parameters.ts';
import { invalidParameter } from '../../src/httpapi/problem.ts';
import { parseSelector } from '../../src/promql/parser.ts';
import type { QueryOptions } from './query-tier.ts';

/** What a request says about reading; absent parameters have Thanos' defaults. Throws bad-data. */
export function requestOptions(parameters: Parameters): QueryOptions {
  const replicaLabels = parameters.all('replicaLabels[]');
  return {
    dedup: flag(parameters, 'dedup', true),
    partialResponse: flag(parameters, 'partial_response', true),
    ...(replicaLabels.length > 0 && { replicaLabels }),
    storeMatch: parameters.all('storeMatch[]').map(text => [...parseSelector(text).matchers]),
  };
}

function flag(parameters: Parameters, name: string, fallback: boolean): boolean {
  const text = parameters.text(name);
  if (text === '') return fallback;
  if (['1', 't', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a boolean`);
}
