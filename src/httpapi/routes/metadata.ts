// What is known about metric families.

import { compareStrings } from '../../labels/compare.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { MetricMetadata } from '../../storage/appender.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/metadata`; empty where the mode keeps none. */
export function metadataRoutes({ metadata }: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/api/v1/metadata',
      handle: ({ parameters }) => ({
        kind: 'pieces',
        pieces: familyPieces(metadata?.metadata() ?? new Map(), parameters),
      }),
    },
  ];
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
  return pieces(families, limit < 0 ? known : known.slice(0, limit));
}

function* pieces(
  families: ReadonlyMap<string, MetricMetadata>,
  names: readonly string[],
): Generator<string> {
  let separator = '{';
  for (const name of names) {
    const { type, help, unit } = families.get(name)!;
    yield `${separator}${JSON.stringify(name)}:[${JSON.stringify({ type, help, unit })}]`;
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
