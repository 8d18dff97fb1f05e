// Which series exist.

import type { Labels } from '../../labels/labels.ts';
import type { Matcher } from '../../labels/matcher.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { Querier, SelectOptions } from '../../storage/queryable.ts';
import { labelsPieces } from '../json-pieces.ts';
import { API_LIMITS, type ApiOptions } from '../options.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';

/** `/api/v1/series`. */
export function seriesRoutes(options: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/series',
      handle: request => answerSeries(options, request),
    },
  ];
}

async function answerSeries(options: ApiOptions, request: ApiRequest): Promise<ApiAnswer> {
  const { parameters, signal } = request;
  if (parameters.all('match[]').length === 0) {
    throw new OutpostError('bad-data', 'no match[] parameter provided');
  }
  const limit = parameters.limit();
  const { minTime, maxTime } = parameters.range();
  const selectors = parameters.selectors();
  const listMax = options.limits?.listMax ?? API_LIMITS.listMax;
  const found = new SeriesList(limit === 0 ? listMax : Math.min(limit, listMax), limit === 0);
  const querier = options.queryableFor(parameters).querier(minTime, maxTime);
  try {
    for (const matchers of selectors) {
      const slicer = new Slicer(() => options.clock.monotonic(), signal);
      await collect(
        querier,
        matchers,
        { found, slicer },
        {
          signal,
          hints: {
            labelsOnly: true,
            sorted: true,
            func: 'series',
            limit: limit === 0 ? 0 : limit + 1,
          },
        },
      );
    }
  } finally {
    querier.close();
  }
  const cut = found.isCut ? ['results truncated due to limit'] : [];
  return {
    kind: 'pieces',
    pieces: labelsPieces(selectors.length > 1 ? found.sorted() : found.list),
    warnings: [...cut, ...found.warnings],
  };
}

async function collect(
  querier: Querier,
  matchers: readonly Matcher[],
  { found, slicer }: { readonly found: SeriesList; readonly slicer: Slicer },
  options: SelectOptions,
): Promise<void> {
  if (found.isCut) return;
  const set = await querier.select(matchers, options);
  try {
    for (let batch = await set.next(); batch && !found.isCut; batch = await set.next()) {
      for (const series of batch) found.add(series.labels);
      if (slicer.due) await slicer.pause();
    }
    found.warnings.push(...set.warnings);
  } finally {
    set.close();
  }
}

/** Label sets, each once. */
class SeriesList {
  readonly list: Labels[] = [];
  readonly warnings: string[] = [];
  /** True once a series did not fit. */
  isCut = false;
  readonly #max: number;
  readonly #isHard: boolean;
  readonly #keys = new Set<string>();

  /** A hard limit is an error when it is passed. */
  constructor(max: number, isHard: boolean) {
    this.#max = max;
    this.#isHard = isHard;
  }

  add(labels: Labels): void {
    if (this.isCut || this.#keys.has(labels.key)) return;
    if (this.list.length >= this.#max) {
      if (this.#isHard) {
        throw new OutpostError(
          'limit-exceeded',
          `list series: more than ${this.#max} match; narrow match[] or pass a limit`,
        );
      }
      this.isCut = true;
      return;
    }
    this.#keys.add(labels.key);
    this.list.push(labels);
  }

  sorted(): Labels[] {
    return this.list.sort((a, b) => a.compareTo(b));
  }
}
