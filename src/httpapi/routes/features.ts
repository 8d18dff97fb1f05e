// What this server can do, by category, for clients that look before they ask. Names are Prometheus'; what
// is not named does not exist here.

import type { AggregateOp, BinaryOp, RangeExtension } from '../../promql/ast.ts';
import { SIGNATURES } from '../../promql/functions/signatures.ts';
import type { ApiOptions } from '../options.ts';
import type { ApiRoute } from '../route.ts';

const AGGREGATIONS: Readonly<Record<AggregateOp, true>> = {
  avg: true,
  bottomk: true,
  count: true,
  count_values: true,
  group: true,
  limit_ratio: true,
  limitk: true,
  max: true,
  min: true,
  quantile: true,
  stddev: true,
  stdvar: true,
  sum: true,
  topk: true,
};
const EXPERIMENTAL: readonly string[] = ['limitk', 'limit_ratio'] satisfies AggregateOp[];
const BINARY: readonly BinaryOp[] = [
  ...(['+', '-', '*', '/', '%', '^', 'atan2'] as const),
  ...(['==', '!=', '<', '<=', '>', '>=', '</', '>/', 'and', 'or', 'unless'] as const),
];
const MATCHERS = ['=~', '!~', '@'];
const SYNTAX = [
  ...['at_modifier', 'bool', 'by', 'duration_expr', 'group_left', 'group_right', 'ignoring'],
  ...['negative_offset', 'offset', 'on', 'per_query_lookback_delta', 'subqueries', 'without'],
];

const EXTENSIONS: readonly RangeExtension[] = ['anchored', 'smoothed'];
const FILLS = ['fill', 'fill_left', 'fill_right'];

/** `/api/v1/features`. */
export function featureRoutes(options: ApiOptions): ApiRoute[] {
  const data = featuresOf(options);
  return [
    {
      methods: ['GET'],
      path: '/api/v1/features',
      handle: () => ({ kind: 'data', data }),
    },
  ];
}

function featuresOf(options: ApiOptions) {
  const { admin, lifecycle, write, store, exemplars, engine } = options;
  const { experimentalFunctions: experimental = false, ...language } = engine.switches;
  return {
    api: {
      admin: admin !== undefined,
      label_values_match: true,
      lifecycle: lifecycle !== undefined,
      'openapi_3.1': true,
      'openapi_3.2': true,
      otlp_write_receiver: false,
      query_explain: true,
      query_stats: true,
      query_warnings: true,
      remote_write_receiver: write !== undefined,
      search: false,
      time_range_labels: true,
      time_range_series: true,
    },
    promql: sorted([
      ...SYNTAX.map(name => [name, true] as const),
      ...EXTENSIONS.map(name => [name, language.extendedRanges === true] as const),
      ...FILLS.map(name => [name, language.fillModifiers === true] as const),
      ['per_step_stats', true],
    ]),
    promql_functions: sorted(
      [...SIGNATURES.values()].map(one => [one.name, !one.experimental || experimental]),
    ),
    promql_operators: sorted([
      ...[...BINARY, ...MATCHERS].map(name => [name, true] as const),
      ...Object.keys(AGGREGATIONS).map(
        name => [name, !EXPERIMENTAL.includes(name) || experimental] as const,
      ),
    ]),
    ...(store && {
      tsdb: { exemplar_storage: exemplars !== undefined, isolation: true, native_histograms: true },
    }),
  };
}

function sorted(entries: readonly (readonly [string, boolean])[]): Record<string, boolean> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
