// Exemplars of the series that a query reads.

import { formatFloat, formatSeconds } from '../../encoding/format-float.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { parseQuery } from '../../promql/parser.ts';
import { selectorsOf } from '../../promql/selectors.ts';
import type { Exemplar, SeriesExemplars } from '../../storage/exemplar.ts';
import { labelsJson } from '../json-pieces.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';

/** `/api/v1/query_exemplars`; empty where the mode keeps none. */
export function exemplarRoutes(options: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/query_exemplars',
      handle: request => answerExemplars(options, request),
    },
  ];
}

async function answerExemplars(
  { exemplars }: ApiOptions,
  { parameters }: ApiRequest,
): Promise<ApiAnswer> {
  const { minTime, maxTime } = parameters.range();
  const selectors = queriedSelectors(parameters);
  const found = (await exemplars?.exemplars(minTime, maxTime, selectors)) ?? [];
  return { kind: 'pieces', pieces: exemplarPieces(found) };
}

function queriedSelectors(parameters: Parameters) {
  try {
    return selectorsOf(parseQuery(parameters.text('query'))).map(({ matchers }) => matchers);
  } catch (error) {
    const isTextWrong = error instanceof OutpostError && error.code === 'bad-data';
    throw isTextWrong ? invalidParameter('query', error.message) : error;
  }
}

function* exemplarPieces(found: readonly SeriesExemplars[]): Generator<string> {
  let separator = '[';
  for (const { labels, exemplars } of found) {
    const texts = exemplars.map(exemplarJson).join(',');
    yield `${separator}{"seriesLabels":${labelsJson(labels)},"exemplars":[${texts}]}`;
    separator = ',';
  }
  yield found.length === 0 ? '[]' : ']';
}

function exemplarJson({ labels, value, time }: Exemplar): string {
  const text = formatFloat(value);
  return `{"labels":${labelsJson(labels)},"value":"${text}","timestamp":${formatSeconds(time)}}`;
}
