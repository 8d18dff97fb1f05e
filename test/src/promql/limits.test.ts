import { describe, expect, it } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { systemClock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import type { QueryJournal } from '../../../src/promql/limits/observers.ts';
import { REGEX_LENGTH_MAX } from '../../../src/promql/text-limits.ts';
import type { Queryable } from '../../../src/storage/queryable.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../../conformance/memory-storage.ts';
import { storageOf, testEngine } from './fixture.ts';

const SERIES = 2000;
const TIMES = Float64Array.from({ length: 10 }, (_, i) => i * 15_000);
const RANGE = { startMs: 0, endMs: 135_000, stepMs: 15_000 };

const many = new MemoryStorage();
for (let s = 0; s < SERIES; s++) {
  const labels = Labels.fromObject({ __name__: 'm', s: `series-${s}`, le: String(s % 10) });
  many.appendColumns(
    labels,
    TIMES,
    Float64Array.from(TIMES, t => t * s),
  );
}

async function errorOf(query: Promise<unknown>): Promise<string> {
  try {
    await query;
    return 'answered';
  } catch (error) {
    return error instanceof OutpostError ? `${error.code}: ${error.message}` : String(error);
  }
}

function metricOf(registry: Registry, name: string, label = ''): number {
  const family = registry.gather().find(one => one.name === name);
  const sample = family?.samples.find(one => label === '' || one.labels.get('limit') === label);
  return sample?.value ?? 0;
}

describe('the limit of memory', () => {
  const queries = [
    'm',
    'm * 2',
    'sum by (s) (m)',
    'topk(1000000, m)',
    'quantile by (le) (0.5, m)',
    'm + on (s) m',
    'm or m',
    'm and m',
    'label_replace(m, "x", "$1", "s", "(.*)")',
    'count_values("v", m)',
    'histogram_quantile(0.5, m)',
    'max_over_time(m[1m:15s])',
    '{__name__=~"m|n"} * 2',
  ];
  for (const query of queries) {
    it(`stops ${query}, and what it held is given back`, async () => {
      const registry = new Registry();
      const engine = testEngine({ bytesMax: 100_000, registry });
      expect(await errorOf(engine.range(many, query, RANGE))).toBe(
        'limit-exceeded: query processing would hold too much memory in query execution: the limit is 97.7KiB, set by --query.max-memory',
      );
      expect(metricOf(registry, 'outpost_promql_memory_held_bytes')).toBe(0);
      expect(metricOf(registry, 'outpost_promql_queries_refused_total', 'memory')).toBe(1);
    });
  }

  it.each(['h', 'h[10s]', 'count_over_time(h[10s:1s])'])(
    'counts the buckets of the native histograms of %s',
    async query => {
      const buckets = Array.from({ length: 150 }, (_, i) => i + 1).join(' ');
      const histograms = storageOf(1000, `h {{count:9 sum:1 buckets:[${buckets}]}}x9`);
      const held = async (text: string): Promise<number> => {
        const engine = testEngine();
        const isRange = text.endsWith(']');
        const { stats } = isRange
          ? await engine.instant(histograms, text, { timeMs: 9000 })
          : await engine.range(histograms, text, { startMs: 0, endMs: 9000, stepMs: 1000 });
        return stats.peakBytes;
      };
      // Ten histograms of 150 buckets of eight bytes each.
      expect(await held(query)).toBeGreaterThan(12_000);
      expect(await held('sum(histogram_count(h))')).toBeLessThan(12_000);
    },
  );

  it('does not concern an aggregation over as many series', async () => {
    const engine = testEngine({ bytesMax: 200_000 });
    expect(await errorOf(engine.range(many, 'sum(m)', RANGE))).toBe('answered');
  });

  it('holds for all queries together, and for answers until they are released', async () => {
    const registry = new Registry();
    const engine = testEngine({ bytesTotalMax: 1_500_000, registry });
    const first = await engine.range(many, 'm', { ...RANGE, keepsAccount: true });
    const held = metricOf(registry, 'outpost_promql_memory_held_bytes');
    expect(held).toBeGreaterThan(SERIES * TIMES.length * 9);
    expect(first.stats.peakBytes).toBeGreaterThanOrEqual(held);
    const again = { ...RANGE, keepsAccount: true };
    const others: string[] = [];
    for (let i = 0; i < 3; i++) others.push(await errorOf(engine.range(many, 'm', again)));
    expect(others.at(-1)).toBe(
      'unavailable: query processing was stopped because all running queries together would hold too much memory: the limit is 1.4MiB, set by --query.max-memory-total; try again later',
    );
    first.release();
    first.release();
    expect(await errorOf(engine.range(many, 'm', RANGE))).toBe('answered');
  });
});

describe('other limits', () => {
  it('stop a query that reads too many series', async () => {
    const engine = testEngine({ seriesMax: 1000 });
    expect(await errorOf(engine.instant(many, 'sum(m)', { timeMs: 0 }))).toBe(
      'limit-exceeded: query processing would read too many series in query execution: the limit is 1000, set by --query.max-series',
    );
  });

  it('refuse a text that is too long before it is read', async () => {
    const engine = testEngine({ lengthMax: 10 });
    expect(await errorOf(engine.instant(many, 'm and m and m', { timeMs: 0 }))).toBe(
      'bad-data: the query is 13 characters long: the limit is 10, set by --query.max-length',
    );
  });

  it('refuse a regular expression that is too long, but not plain alternatives', async () => {
    const engine = testEngine();
    const plain = 'a|'.repeat(REGEX_LENGTH_MAX);
    expect(await errorOf(engine.instant(many, `m{s=~"${plain}"}`, { timeMs: 0 }))).toBe('answered');
    expect(await errorOf(engine.instant(many, `m{s=~"${plain}.*"}`, { timeMs: 0 }))).toMatch(
      /^bad-data: 1:3: parse error: the regular expression is 131074 characters long: the limit is 65536/,
    );
    const replace = `label_replace(m, "a", "b", "c", "${plain}.*")`;
    expect(await errorOf(engine.instant(many, replace, { timeMs: 0 }))).toMatch(
      /^execution: label_r/,
    );
  });

  it('refuse experimental functions unless they are switched on', async () => {
    const engine = testEngine({ experimentalFunctions: false });
    expect(await errorOf(engine.instant(many, 'sum(mad_over_time(m[1m]))', { timeMs: 0 }))).toBe(
      'bad-data: 1:5: parse error: function "mad_over_time" is not enabled; it is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    );
    expect(await errorOf(engine.instant(many, 'limitk(1, m)', { timeMs: 0 }))).toMatch(
      /limitk\(\) is experimental and must be enabled/,
    );
    expect(await errorOf(engine.instant(many, 'sum(m)', { timeMs: 0 }))).toBe('answered');
  });

  it.each([
    [
      'sum(rate(m[1m] anchored))',
      '1:10: parse error: anchored modifier is experimental and not enabled; it must be enabled with --enable-feature=promql-extended-range-selectors',
    ],
    [
      'limitk("a", m smoothed)',
      '1:13: parse error: smoothed modifier is experimental and not enabled; it must be enabled with --enable-feature=promql-extended-range-selectors',
    ],
    [
      'sum(m + fill_left (0) limitk(1, m))',
      '1:23: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    [
      'sum(m + fill_left (0) "a")',
      '1:5: parse error: binop fill modifiers are experimental and not enabled; they must be enabled with --enable-feature=promql-binop-fill-modifiers',
    ],
  ])('refuse %s where its switch is off, before its types are looked at', async (text, reason) => {
    const off = { experimentalFunctions: false, extendedRanges: false, fillModifiers: false };
    const engine = testEngine(off);
    expect(await errorOf(engine.instant(many, text, { timeMs: 0 }))).toBe(`bad-data: ${reason}`);
  });
});

describe('a caller that goes away', () => {
  it('ends a heavy query within 50 ms of CPU, and closes what it reads', async () => {
    let closed = 0;
    const endless: Queryable = {
      querier: (minTime, maxTime) => ({
        ...many.querier(minTime, maxTime),
        select: async matchers => {
          let set = await many.querier(minTime, maxTime).select(matchers);
          return {
            warnings: [],
            async next() {
              const batch = await set.next();
              if (batch) return batch;
              set = await many.querier(minTime, maxTime).select(matchers);
              return set.next();
            },
            close() {
              closed++;
            },
          };
        },
        close() {},
      }),
    };
    const engine = testEngine({ clock: systemClock, seriesMax: 1e12 });
    const gone = new AbortController();
    const query = engine.range(endless, 'sum(quantile_over_time(0.9, m[1m]))', {
      ...RANGE,
      signal: gone.signal,
    });
    const outcome = errorOf(query);
    await new Promise(resolve => setTimeout(resolve, 50));
    const before = process.threadCpuUsage();
    gone.abort();
    expect(await outcome).toBe('canceled: query was canceled in expression evaluation');
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(50);
    expect(closed).toBe(1);
  });
});

describe('observers', () => {
  it('know a query while it runs, and what became of it', async () => {
    const storage = storageOf(1000, 'm 1 2 3');
    const events: string[] = [];
    const journal: QueryJournal = {
      begin: text => events.push(`begin ${text}`),
      end: entry => void events.push(`end ${entry}`),
    };
    const engine = testEngine({
      journal,
      log: ({ text, error, stats, origin }) =>
        events.push(`log ${text} ${error} ${stats?.seriesRead} ${origin?.source}`),
    });
    await engine.instant(storage, 'm', { timeMs: 0, origin: { source: '10.0.0.1' } });
    await errorOf(engine.instant(storage, 'm + on () group_left () x +', { timeMs: 0 }));
    await errorOf(engine.instant(storage, 'label_replace(m, "", "", "", "")', { timeMs: 0 }));
    expect(events).toEqual([
      'begin m',
      'end 1',
      'log m null 1 10.0.0.1',
      'log m + on () group_left () x + 1:28: parse error: unexpected end of input undefined undefined',
      'begin label_replace(m, "", "", "", "")',
      'end 5',
      'log label_replace(m, "", "", "", "") invalid destination label name in label_replace():  undefined undefined',
    ]);
  });
});
