// Instant and range queries.

import { formatSize } from '../../encoding/units.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { QueryOptions } from '../../promql/engine.ts';
import type { QueryResult } from '../../promql/result.ts';
import type { Queryable } from '../../storage/queryable.ts';
import { isTruncated, leastBytes, type ResultView, resultPieces } from '../json-pieces.ts';
import { API_LIMITS, type ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import { MissingParts } from '../read-observer.ts';
import type { ApiAnswer, ApiRequest, ApiRoute, BodyLimit } from '../route.ts';
import { parseDuration } from '../times.ts';

// More points than any screen has; Prometheus' number.
const POINTS_MAX = 11_000;

/** `/api/v1/query` and `/api/v1/query_range`. */
export function queryRoutes(options: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/query',
      handle: request => answerInstant(options, request),
    },
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/query_range',
      handle: request => answerRange(options, request),
    },
  ];
}

async function answerInstant(options: ApiOptions, request: ApiRequest): Promise<ApiAnswer> {
  const { parameters, signal } = request;
  const timeMs = parameters.time('time', options.clock.now());
  const { queryable, view } = viewed(options, parameters, { startMs: timeMs, stepMs: 0 });
  const settings = {
    ...settingsOf(parameters),
    ...callerOf(request),
    countsSamples: view.withStats,
    timeMs,
    signal,
  };
  return answer(request, { options, view }, text =>
    options.engine.instant(queryable, text, settings),
  );
}

async function answerRange(options: ApiOptions, request: ApiRequest): Promise<ApiAnswer> {
  const { parameters, signal } = request;
  const range = rangeOf(parameters);
  const { queryable, view } = viewed(options, parameters, range);
  const settings = {
    ...range,
    ...settingsOf(parameters),
    ...callerOf(request),
    countsSamples: view.withStats,
    signal,
  };
  return answer(request, { options, view }, text =>
    options.engine.range(queryable, text, settings),
  );
}

/** The range that a request asks for. Throws `bad-data`. */
export function rangeOf(parameters: Parameters): {
  startMs: number;
  endMs: number;
  stepMs: number;
} {
  const startMs = parameters.requiredTime('start');
  const endMs = parameters.requiredTime('end');
  if (endMs < startMs) {
    throw invalidParameter('end', 'end timestamp must not be before start time');
  }
  const stepMs = parameters.duration('step');
  if (stepMs === null) throw invalidParameter('step', 'cannot parse "" to a valid duration');
  if (stepMs <= 0) {
    throw invalidParameter(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if (Math.floor((endMs - startMs) / stepMs) > POINTS_MAX) {
    throw new OutpostError(
      'bad-data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { startMs, endMs, stepMs };
}

/** What a request sets for its query. Throws `bad-data`. */
export function settingsOf(parameters: Parameters): { timeoutMs?: number; lookbackMs?: number } {
  const timeoutMs = parameters.duration('timeout');
  const lookback = parameters.text('lookback_delta');
  const lookbackMs = lookback === '' ? 0 : parseDuration(lookback);
  if (lookbackMs === null) {
    throw new OutpostError(
      'bad-data',
      `error parsing lookback delta duration: cannot parse ${JSON.stringify(lookback)} to a valid duration`,
    );
  }
  return {
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(lookbackMs <= 0 ? {} : { lookbackMs }),
  };
}

/** The store, and what of the result is shown. Only statistics tell what the store could not read. */
function viewed(
  options: ApiOptions,
  parameters: Parameters,
  steps: { readonly startMs: number; readonly stepMs: number },
): { queryable: Queryable; view: ResultView } {
  const limit = parameters.limit();
  const stats = parameters.text('stats');
  if (stats === '') {
    return { queryable: options.queryableFor(parameters), view: { limit, withStats: false } };
  }
  const parts = new MissingParts();
  const view = {
    limit,
    withStats: true,
    missing: () => parts.list(),
    ...(stats === 'all' && { steps }),
  };
  return { queryable: options.queryableFor(parameters, parts), view };
}

/** Whose query it is, for the queue and the log. */
export function callerOf({
  client,
  method,
  url,
}: ApiRequest): Pick<QueryOptions, 'origin' | 'keepsAccount'> {
  const path = url.replace(/\?.*$/s, '');
  const httpRequest = { clientIP: client, method, path };
  return { origin: { source: client, fields: { httpRequest } }, keepsAccount: true };
}

async function answer(
  { parameters }: ApiRequest,
  { options, view }: { readonly options: ApiOptions; readonly view: ResultView },
  evaluate: (text: string) => Promise<QueryResult>,
): Promise<ApiAnswer> {
  let result: QueryResult;
  try {
    result = await evaluate(parameters.text('query'));
  } catch (error) {
    const isTextWrong = error instanceof OutpostError && error.code === 'bad-data';
    throw isTextWrong ? invalidParameter('query', error.message) : error;
  }
  const limit = resultLimit(options);
  if (leastBytes(result, view) > limit.bytesMax) {
    result.release();
    throw limit.reached();
  }
  const cut = isTruncated(result, view) ? ['results truncated due to limit'] : [];
  return {
    kind: 'pieces',
    pieces: resultPieces(result, view),
    release: () => result.release(),
    limit,
    warnings: [...cut, ...result.warnings, ...deprecatedStats(parameters)],
    infos: result.infos,
  };
}

/** What Prometheus says of other values, all of which it takes for true. */
function deprecatedStats(parameters: Parameters): string[] {
  const stats = parameters.text('stats');
  if (stats === '' || stats === 'true' || stats === 'all') return [];
  return [
    `value ${JSON.stringify(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`,
  ];
}

function resultLimit({ limits, engine }: ApiOptions): BodyLimit {
  const bytesMax = limits?.resultBytesMax ?? API_LIMITS.resultBytesMax;
  return {
    bytesMax,
    reached() {
      engine.countRefusal('result');
      return new OutpostError(
        'limit-exceeded',
        `the answer is too large: the limit is ${formatSize(bytesMax)}, set by --query.max-result-size; ask for fewer series or a larger step`,
      );
    },
  };
}
