// Label names, and the values of one label.

import { unescapeName } from '../../exposition/escaping.ts';
import { compareStrings } from '../../labels/compare.ts';
import type { Matcher } from '../../labels/matcher.ts';
import { LABEL_NAME_LENGTH_MAX } from '../../labels/validate.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { LabelAnswer, Querier } from '../../storage/queryable.ts';
import { stringPieces } from '../json-pieces.ts';
import { API_LIMITS, type ApiOptions } from '../options.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';

type Ask = (querier: Querier, matchers: readonly Matcher[]) => Promise<LabelAnswer>;

/** `/api/v1/labels` and `/api/v1/label/<name>/values`. */
export function labelRoutes(options: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/labels',
      handle: request => {
        const { signal } = request;
        return answer(options, request, (querier, matchers) =>
          querier.labelNames(matchers, { signal, hints: hintsOf(request) }),
        );
      },
    },
    {
      methods: ['GET'],
      path: '/api/v1/label/:name/values',
      handle: request => {
        const { signal } = request;
        const name = labelName(request.path['name'] ?? '');
        return answer(options, request, (querier, matchers) =>
          querier.labelValues(name, matchers, { signal, hints: hintsOf(request) }),
        );
      },
    },
  ];
}

function hintsOf({ parameters }: ApiRequest): { limit: number; labelsOnly: true } {
  const limit = parameters.limit();
  // One more than is shown, to know that there are more.
  return { limit: limit === 0 ? 0 : limit + 1, labelsOnly: true };
}

function labelName(text: string): string {
  const name = unescapeName(text);
  if (name !== '' && name.isWellFormed() && name.length <= LABEL_NAME_LENGTH_MAX) return name;
  throw new OutpostError('bad-data', `invalid label name: ${JSON.stringify(text)}`);
}

async function answer(options: ApiOptions, request: ApiRequest, ask: Ask): Promise<ApiAnswer> {
  const { parameters } = request;
  const limit = parameters.limit();
  const { minTime, maxTime } = parameters.range();
  const selectors = parameters.anySelectors();
  if (selectors.some(matchers => matchers.every(matcher => matcher.matchesEmpty))) {
    throw new OutpostError('bad-data', 'match[] must contain at least one non-empty matcher');
  }
  const querier = options.queryableFor(parameters).querier(minTime, maxTime);
  const warnings: string[] = [];
  let values: readonly string[] = [];
  try {
    for (const matchers of selectors.length === 0 ? [[]] : selectors) {
      const part = await ask(querier, matchers);
      warnings.push(...part.warnings);
      values = values.length === 0 ? part.values : union(values, part.values);
    }
  } finally {
    querier.close();
  }
  const listMax = options.limits?.listMax ?? API_LIMITS.listMax;
  const shown = limit === 0 ? listMax : Math.min(limit, listMax);
  if (values.length > shown) warnings.unshift('results truncated due to limit');
  return { kind: 'pieces', pieces: stringPieces(values.slice(0, shown)), warnings };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort(compareStrings);
}
