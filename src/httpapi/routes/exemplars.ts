// Exemplars of the series that a query reads.

import { formatFloat, formatSeconds } from '../../encoding/format-float.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { selectorsOf } from '../../promql/selectors.ts';
import type { Exemplar, SeriesExemplars } from '../../storage/exemplar.ts';
import { labelsJson } from '../json-pieces.ts';
import type { ApiOptions } from '../options.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';
import { TIME_MAX, TIME_MIN } from '../times.ts';

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
  { engine, exemplars, gathered }: ApiOptions,
  request: ApiRequest,
): Promise<ApiAnswer> {
  const { parameters } = request;
  const minTime = parameters.time('start', TIME_MIN);
  const maxTime = parameters.time('end', TIME_MAX);
  if (maxTime < minTime) {
    throw new OutpostError('bad-data', 'end timestamp must not be before start timestamp');
  }
  const query = parameters.text('query');
  const expr = engine.parse(query);
  if (gathered) {
    const { value, warnings } = await gathered.exemplars({ query, minTime, maxTime }, request);
    return { kind: 'pieces', pieces: exemplarPieces(value), warnings };
  }
  const selectors = selectorsOf(expr).map(({ matchers }) => matchers);
  const found = (await exemplars?.exemplars(minTime, maxTime, selectors)) ?? [];
  return { kind: 'pieces', pieces: exemplarPieces(found) };
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
