// The mode's own store in numbers.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import type { ApiRoute } from '../route.ts';
import type { StoreBlock, StoreSource, StoreStatistics } from '../sources.ts';

const LIMIT = 10;
const LIMIT_MAX = 10_000;
/** Prometheus' times of an empty head: the extremes of int64, which no number here holds. */
const EMPTY_MIN_TIME = '9223372036854775807';
const EMPTY_MAX_TIME = '-9223372036854775808';

/** `/api/v1/status/tsdb` and `/api/v1/status/tsdb/blocks`. */
export function storeStatusRoutes({ store }: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/api/v1/status/tsdb',
      handle: async ({ parameters }) => {
        const statistics = await known(store).statistics(limitOf(parameters));
        return { kind: 'pieces', pieces: [statisticsJson(statistics)] };
      },
    },
    {
      methods: ['GET'],
      path: '/api/v1/status/tsdb/blocks',
      handle: () => ({ kind: 'data', data: { blocks: known(store).blocks().map(blockJson) } }),
    },
  ];
}

function known(store: StoreSource | undefined): StoreSource {
  if (store) return store;
  throw new OutpostError('not-found', 'no samples are kept here; ask an agent');
}

function limitOf(parameters: Parameters): number {
  const text = parameters.text('limit');
  if (text === '') return LIMIT;
  const limit = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (limit < 1) throw new OutpostError('bad-data', 'limit must be a positive number');
  if (limit <= LIMIT_MAX) return limit;
  throw new OutpostError('bad-data', `limit must not exceed ${LIMIT_MAX}`);
}

function statisticsJson(statistics: StoreStatistics): string {
  const { series, labelPairs, chunks, minTime, maxTime } = statistics;
  const oldest = Number.isFinite(minTime) ? String(minTime) : EMPTY_MIN_TIME;
  const newest = Number.isFinite(maxTime) ? String(maxTime) : EMPTY_MAX_TIME;
  const head = `{"numSeries":${series},"numLabelPairs":${labelPairs},"chunkCount":${chunks},"minTime":${oldest},"maxTime":${newest}}`;
  const lists = JSON.stringify({
    seriesCountByMetricName: statistics.seriesCountByMetricName,
    labelValueCountByLabelName: statistics.labelValueCountByLabelName,
    memoryInBytesByLabelName: statistics.memoryInBytesByLabelName,
    seriesCountByLabelValuePair: statistics.seriesCountByLabelValuePair,
  });
  return `{"headStats":${head},${lists.slice(1)}`;
}

function blockJson({ ulid, minTime, maxTime, stats, compaction }: StoreBlock) {
  const { level, sources } = compaction;
  const counts = Object.entries(stats).filter(([, count]) => count !== 0);
  return {
    ulid,
    minTime,
    maxTime,
    stats: Object.fromEntries(counts),
    compaction: { level, sources },
    version: 1,
  };
}
