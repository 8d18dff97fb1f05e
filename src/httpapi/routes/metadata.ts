// What is known about metric families.

import { compareStrings } from '../../labels/compare.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { MetricMetadata } from '../../storage/appender.ts';
import type { GatheredSource } from '../gathered.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';

/** `/api/v1/metadata`; empty where the mode keeps none. */
export function metadataRoutes({ metadata, gathered }: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/api/v1/metadata',
      handle: request => {
        if (gathered) return gatheredMetadata(gathered, request);
        const families = metadata?.metadata() ?? new Map();
        return { kind: 'pieces', pieces: familyPieces(families, request.parameters) };
      },
    },
  ];
}

async function gatheredMetadata(source: GatheredSource, request: ApiRequest): Promise<ApiAnswer> {
  const { parameters } = request;
  const limit = wholeNumber(parameters, 'limit');
  const perMetric = wholeNumber(parameters, 'limit_per_metric');
  const metric = parameters.text('metric');
  const { value, warnings } = await source.metadata({ metric, limit }, request);
  const shown = [...value].map(([name, metas]): [string, readonly MetricMetadata[]] => [
    name,
    perMetric < 0 ? metas : metas.slice(0, perMetric),
  ]);
  const some = new Map(shown.filter(([, metas]) => metas.length > 0));
  return { kind: 'pieces', pieces: pieces(some, [...some.keys()]), warnings };
}

function familyPieces(
  families: ReadonlyMap<string, MetricMetadata>,
  parameters: Parameters,
): Generator<string> {
  const limit = wholeNumber(parameters, 'limit');
  // A family has one entry here, so this limit is only read for its errors and for 0.
  const perMetric = wholeNumber(parameters, 'limit_per_metric');
  const metric = parameters.text('metric');
  const names = metric === '' ? [...families.keys()].sort(compareStrings) : [metric];
  const known = perMetric === 0 ? [] : names.filter(name => families.has(name));
  const shown = limit < 0 ? known : known.slice(0, limit);
  return pieces(new Map(shown.map(name => [name, [families.get(name)!]])), shown);
}

function* pieces(
  families: ReadonlyMap<string, readonly MetricMetadata[]>,
  names: readonly string[],
): Generator<string> {
  let separator = '{';
  for (const name of names) {
    const metas = families.get(name)!.map(({ type, help, unit }) => ({ type, help, unit }));
    yield `${separator}${JSON.stringify(name)}:${JSON.stringify(metas)}`;
    separator = ',';
  }
  yield names.length === 0 ? '{}' : '}';
}

/** −1 where the parameter is absent or negative: no limit. */
function wholeNumber(parameters: Parameters, name: string): number {
  const text = parameters.text(name);
  if (text === '') return -1;
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw new OutpostError('bad-data', `${name} must be a number`);
  }
  return Math.max(-1, Number(text));
}
