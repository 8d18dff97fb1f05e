// Shapes that several answers share.

import {
  decimal,
  either,
  integer,
  list,
  mapOf,
  moment,
  oneOf,
  record,
  ref,
  type Schema,
  text,
  truth,
} from './schema.ts';

const labels = ref('Labels');
const point: Schema = { type: 'array', prefixItems: [decimal, text] };
const histogramPoint: Schema = { type: 'array', prefixItems: [decimal, ref('Histogram')] };
const stats = ref('QueryStats');
const count = record({ name: text, value: integer });

function result(type: string, items: Schema): Schema {
  return record({ resultType: oneOf(type), result: items, stats }, ['stats']);
}

/** By name. */
export const COMPONENTS: Readonly<Record<string, Schema>> = {
  Labels: mapOf(text),
  Error: record({
    status: oneOf('error'),
    errorType: oneOf(
      ...['bad_data', 'execution', 'canceled', 'timeout', 'unavailable', 'internal', 'not_found'],
    ),
    error: text,
  }),
  Plugin: record(
    {
      ...{ name: text, state: text, since: moment, pid: integer, version: text },
      ...{ command: list(text), restarts: integer, lastError: text, series: integer },
      ...{ memoryBytes: integer, cpuCores: decimal, cpuSeconds: decimal, stretch: integer },
      limits: mapOf(decimal),
      collectors: list(
        record(
          {
            ...{ name: text, enabled: truth, error: text, durationSeconds: decimal },
            cpuSeconds: decimal,
            outcome: oneOf('ok', 'failed', 'no data', 'unknown', 'off'),
          },
          ['durationSeconds', 'cpuSeconds'],
        ),
      ),
    },
    ['pid'],
  ),
  Histogram: record({ count: text, sum: text, buckets: list(list(either(decimal, text))) }, [
    'buckets',
  ]),
  QueryStats: record(
    {
      timings: mapOf(decimal),
      samples: mapOf(either(integer, list(list(decimal)))),
      missing: list(ref('MissingPart')),
    },
    ['missing'],
  ),
  QueryData: either(
    result(
      'vector',
      list(
        record({ metric: labels, value: point, histogram: histogramPoint }, ['value', 'histogram']),
      ),
    ),
    result(
      'matrix',
      list(
        record({ metric: labels, values: list(point), histograms: list(histogramPoint) }, [
          'values',
          'histograms',
        ]),
      ),
    ),
    result('scalar', point),
    result('string', point),
  ),
  SeriesExemplars: record({
    seriesLabels: labels,
    exemplars: list(record({ labels, value: text, timestamp: decimal })),
  }),
  Metadata: record({ type: text, help: text, unit: text }),
  TargetMetadata: record({ target: labels, metric: text, type: text, help: text, unit: text }, [
    'metric',
  ]),
  Target: record(
    {
      ...{ discoveredLabels: labels, labels, scrapePool: text, scrapeUrl: text, globalUrl: text },
      ...{ lastError: text, lastScrape: moment, lastScrapeDuration: decimal },
      ...{ health: oneOf('up', 'down', 'unknown'), scrapeInterval: text, scrapeTimeout: text },
    },
    ['scrapeInterval', 'scrapeTimeout'],
  ),
  HeadStats: record({
    ...{ numSeries: integer, numLabelPairs: integer, chunkCount: integer },
    ...{ minTime: integer, maxTime: integer },
  }),
  StoreStats: record({
    headStats: ref('HeadStats'),
    seriesCountByMetricName: list(count),
    labelValueCountByLabelName: list(count),
    memoryInBytesByLabelName: list(count),
    seriesCountByLabelValuePair: list(count),
  }),
  Block: record(
    {
      ...{ ulid: text, minTime: integer, maxTime: integer, version: integer },
      stats: mapOf(integer),
      compaction: record({ level: integer, sources: list(text) }),
    },
    ['stats'],
  ),
  Notification: record({ text, date: moment, active: truth }),
  ReadPlace: record({ place: text, start: decimal, end: decimal }),
  MissingPart: record({
    ...{ place: text, start: decimal, end: decimal },
    ...{ labelSets: list(labels), reason: text },
  }),
  PlanNode: record(
    {
      ...{ kind: text, text, type: text, seconds: decimal, ownSeconds: decimal },
      reads: record({
        ...{ start: decimal, end: decimal, series: integer, samples: integer },
        ...{ bytes: either(integer, { type: 'null' }), seconds: decimal },
        places: list(ref('ReadPlace')),
      }),
      children: list(ref('PlanNode')),
    },
    ['reads', 'children', 'seconds', 'ownSeconds'],
  ),
  Explanation: record(
    {
      ...{ analyzed: truth, plan: ref('PlanNode') },
      total: record({
        ...{ series: integer, samples: integer, bytes: either(integer, { type: 'null' }) },
      }),
      stats: mapOf(decimal),
      missing: list(ref('MissingPart')),
    },
    ['stats'],
  ),
  BuildInfo: record({
    ...{ version: text, revision: text, branch: text, buildUser: text, buildDate: text },
    goVersion: text,
  }),
};
