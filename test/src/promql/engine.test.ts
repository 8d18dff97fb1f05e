import { describe, expect, it } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { ManualClock, systemClock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { Engine } from '../../../src/promql/engine.ts';
import type { Queryable, SelectHints } from '../../../src/storage/queryable.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../../conformance/memory-storage.ts';
import { shown, storageOf, testEngine } from './fixture.ts';

const MINUTE = 60_000;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    return thrown instanceof OutpostError ? `${thrown.code}: ${thrown.message}` : String(thrown);
  }
  return 'no error';
}

describe('lookup', () => {
  const storage = storageOf(MINUTE, 'm 0 1 2 stale 4', 'n 7');
  const engine = testEngine();
  const at = async (query: string, timeMs: number) =>
    shown(await engine.instant(storage, query, { timeMs }));

  it('takes the newest sample', async () => {
    expect(await at('m', 2.5 * MINUTE)).toEqual({ m: 2 });
  });

  it('answers nothing after a stale marker', async () => {
    expect(await at('m', 3 * MINUTE)).toEqual({});
  });

  it('looks back less than the lookback: the sample at its far edge is out', async () => {
    expect(await at('n', 5 * MINUTE - 1)).toEqual({ n: 7 });
    expect(await at('n', 5 * MINUTE)).toEqual({});
  });

  it('takes the lookback of the query', async () => {
    const result = await engine.instant(storage, 'n', { timeMs: MINUTE, lookbackMs: 30_000 });
    expect(shown(result)).toEqual({});
  });

  it('leaves the left edge of a range out and the right edge in', async () => {
    expect(await at('count_over_time(m[2m])', 2 * MINUTE)).toEqual({ '{}': 2 });
    expect(await at('sum_over_time(m[2m])', 2 * MINUTE)).toEqual({ '{}': 3 });
  });

  it('drops stale markers from ranges', async () => {
    expect(await at('count_over_time(m[5m])', 4 * MINUTE)).toEqual({ '{}': 4 });
  });
});

describe('answers', () => {
  const storage = storageOf(MINUTE, 'b{x="1"} 1+1x9', 'a{x="1"} 10+10x9', 'a{x="2"} _x3 5x6');
  const engine = testEngine();

  it('of range queries come in label order, each with its own times', async () => {
    const result = await engine.range(storage, '{x=~".+"}', {
      startMs: 0,
      endMs: 4 * MINUTE,
      stepMs: 2 * MINUTE,
    });
    expect(
      result.value.type === 'matrix' && result.value.series.map(s => s.labels.toString()),
    ).toEqual(['a{x="1"}', 'a{x="2"}', 'b{x="1"}']);
    expect(result.value.type === 'matrix' && [...result.value.series[1]!.times]).toEqual([
      4 * MINUTE,
    ]);
    expect(shown(result)).toEqual({
      'a{x="1"}': [10, 30, 50],
      'a{x="2"}': [5],
      'b{x="1"}': [1, 3, 5],
    });
  });

  it('of scalars are constant matrices in range queries', async () => {
    const range = { startMs: 0, endMs: MINUTE, stepMs: MINUTE };
    expect(shown(await engine.range(storage, '1 + 1', range))).toEqual({ '{}': [2, 2] });
    expect(shown(await engine.instant(storage, '1 + 1', { timeMs: 0 }))).toEqual({ scalar: 2 });
  });

  it('of strings and ranges are only given at one time', async () => {
    expect(shown(await engine.instant(storage, '"x"', { timeMs: 0 }))).toEqual({ x: 0 });
    const range = { startMs: 0, endMs: MINUTE, stepMs: MINUTE };
    expect(await codeOf(engine.range(storage, 'a[5m]', range))).toBe(
      'bad-data: invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    );
  });

  it('are empty where the end lies before the start', async () => {
    const result = await engine.range(storage, 'a', { startMs: 10, endMs: 5, stepMs: 1 });
    expect(shown(result)).toEqual({});
  });

  it('evaluate what does not depend on the step once', async () => {
    const range = { startMs: 0, endMs: 5 * MINUTE, stepMs: MINUTE };
    const result = await engine.range(storage, 'b @ 60', range);
    expect(shown(result)).toEqual({ 'b{x="1"}': [2, 2, 2, 2, 2, 2] });
    expect(result.stats.samplesRead).toBe(2);
  });

  it('count what they cost', async () => {
    const { stats } = await engine.instant(storage, 'sum(a)', { timeMs: 5 * MINUTE });
    expect(stats).toMatchObject({ seriesRead: 2, samplesRead: 8 });
    expect(stats.peakSamples).toBeGreaterThan(0);
  });
});

describe('remarks', () => {
  const engine = testEngine();

  it('carry their place', async () => {
    const storage = storageOf(MINUTE, 'm 0+1x10');
    const result = await engine.instant(storage, 'sum(\n  rate(m[5m]))', { timeMs: 5 * MINUTE });
    expect(result.infos).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "m" (2:8)',
    ]);
    expect(result.warnings).toEqual([]);
  });

  it('say what a store could not read', async () => {
    const empty: Queryable = {
      querier: () => ({
        select: async () => ({ next: async () => null, warnings: ['peer x is down'], close() {} }),
        labelNames: async () => ({ values: [], warnings: [] }),
        labelValues: async () => ({ values: [], warnings: [] }),
        close() {},
      }),
    };
    const result = await engine.instant(empty, 'm', { timeMs: 0 });
    expect(result.warnings).toEqual(['peer x is down']);
  });
});

describe('names', () => {
  const storage = storageOf(MINUTE, 'a 1 2 3', 'b 4 5 6');

  it('fall with each operation, so that two metrics may collide', async () => {
    const engine = testEngine();
    expect(shown(await engine.instant(storage, '-a', { timeMs: 0 }))).toEqual({ '{}': -1 });
    expect(await codeOf(engine.instant(storage, '-{__name__=~"a|b"}', { timeMs: 0 }))).toBe(
      'execution: vector cannot contain metrics with the same labelset',
    );
  });

  it('stay until the end in delayed mode', async () => {
    const engine = testEngine({ delayedNameRemoval: true });
    const query = 'label_replace(-{__name__=~"a|b"}, "was", "$1", "__name__", "(.*)")';
    expect(shown(await engine.instant(storage, query, { timeMs: 0 }))).toEqual({
      '{was="a"}': -1,
      '{was="b"}': -4,
    });
  });
});

describe('what a store is told', () => {
  async function asked(query: string): Promise<{ range: [number, number]; hints: SelectHints }[]> {
    const calls: { range: [number, number]; hints: SelectHints }[] = [];
    const memory = new MemoryStorage();
    const spy: Queryable = {
      querier(minTime, maxTime) {
        const querier = memory.querier(minTime, maxTime);
        return {
          ...querier,
          select: (matchers, options) => {
            calls.push({ range: [minTime, maxTime], hints: options!.hints! });
            return querier.select(matchers, options);
          },
          close() {},
        };
      },
    };
    const range = { startMs: 600_000, endMs: 1_200_000, stepMs: 60_000 };
    await testEngine().range(spy, query, range);
    return calls;
  }

  it('the lookback, without its far edge', async () => {
    expect(await asked('m')).toEqual([
      { range: [300_001, 1_200_000], hints: { stepMs: 60_000, func: '' } },
    ]);
  });

  it('range, offset, function and grouping', async () => {
    expect(await asked('sum by (x) (m offset 1m)')).toEqual([
      {
        range: [240_001, 1_140_000],
        hints: { stepMs: 60_000, func: 'sum', grouping: ['x'], by: true },
      },
    ]);
    expect(await asked('rate(m[2m] offset -1m)')).toEqual([
      { range: [540_001, 1_260_000], hints: { stepMs: 60_000, func: 'rate', rangeMs: 120_000 } },
    ]);
  });

  it('the reach of subqueries and the time of an @', async () => {
    expect((await asked('max_over_time(m[10m:1m])')).map(call => call.range)).toEqual([
      [-239_999, 1_200_000],
    ]);
    expect((await asked('m @ 60')).map(call => call.range)).toEqual([[-239_999, 60_000]]);
  });
});

describe('limits', () => {
  const lines = Array.from({ length: 300 }, (_, i) => `m{i="${i}"} 0+1x20`);
  const storage = storageOf(MINUTE, ...lines);
  const range = { startMs: 0, endMs: 20 * MINUTE, stepMs: MINUTE };

  it('stop a query that holds too many samples', async () => {
    const engine = testEngine({ samplesMax: 3000 });
    expect(await codeOf(engine.range(storage, 'm', range))).toBe(
      'limit-exceeded: query processing would load too many samples into memory in query execution: the limit is 3000, set by --query.max-samples',
    );
  });

  it('let an aggregation pass that holds groups only', async () => {
    const engine = testEngine({ samplesMax: 8000 });
    expect(Object.values(shown(await engine.range(storage, 'count(m)', range)))[0]).toHaveLength(
      21,
    );
  });

  it('refuse a grid that no memory could hold', async () => {
    expect(
      await codeOf(testEngine().instant(storage, 'max_over_time(m[30y:1ms])', { timeMs: 0 })),
    ).toBe(
      'limit-exceeded: query processing would load too many samples into memory in query execution: the limit is 50000000, set by --query.max-samples',
    );
    const endless = { startMs: 0, endMs: 1e12, stepMs: 1 };
    expect(await codeOf(testEngine().range(storage, 'm', endless))).toContain('limit-exceeded');
  });

  it('refuse a step that leads nowhere', async () => {
    const still = { startMs: 0, endMs: 1, stepMs: 0 };
    expect(await codeOf(testEngine().range(storage, 'm', still))).toBe(
      'bad-data: the step must be positive: 0',
    );
  });

  it('release every querier when a query fails', async () => {
    let open = 0;
    const counting: Queryable = {
      querier(minTime, maxTime) {
        const querier = storage.querier(minTime, maxTime);
        open++;
        let closed = false;
        return {
          ...querier,
          select: matchers => querier.select(matchers),
          close() {
            if (!closed) open--;
            closed = true;
          },
        };
      },
    };
    const queries = ['m + on() m', 'topk(scalar(m), m)', 'label_replace(m, "i", "x", "i", ".*")'];
    for (const query of [...queries, 'sum(rate(m[5m])) / sum(m)', 'm or m offset 1m']) {
      await codeOf(testEngine({ samplesMax: 4000 }).range(counting, query, range));
      expect([query, open]).toEqual([query, 0]);
    }
  });

  it('stop at the timeout', async () => {
    const clock = new ManualClock(0);
    const engine = new Engine({ clock, timeoutMs: 1000 });
    const slow: Queryable = {
      querier: () => ({
        ...storage.querier(0, 0),
        select: async () => ({
          warnings: [],
          next: async () => {
            clock.advance(2000);
            return [];
          },
          close() {},
        }),
        close() {},
      }),
    };
    expect(await codeOf(engine.instant(slow, 'm', { timeMs: 0 }))).toBe(
      'timeout: query timed out in expression evaluation: the limit is 1s, set by --query.timeout or the timeout parameter',
    );
  });

  it('stop with the caller', async () => {
    const signal = AbortSignal.abort();
    expect(await codeOf(testEngine().instant(storage, 'm', { timeMs: 0, signal }))).toBe(
      'canceled: query was canceled in query queue',
    );
  });

  it('make queries wait for their turn, in order', async () => {
    const engine = new Engine({ clock: systemClock, concurrencyMax: 1 });
    const order: number[] = [];
    const gates: (() => void)[] = [];
    const blocking = (id: number): Queryable => ({
      querier: () => ({
        ...storage.querier(0, 0),
        select: async () => {
          order.push(id);
          await new Promise<void>(resolve => gates.push(resolve));
          return { warnings: [], next: async () => null, close() {} };
        },
        close() {},
      }),
    });
    const all = [1, 2, 3].map(id => engine.instant(blocking(id), 'm', { timeMs: 0 }));
    for (let i = 0; i < 3; i++) {
      while (gates.length === 0) await new Promise(resolve => setImmediate(resolve));
      expect(order).toEqual([1, 2, 3].slice(0, i + 1));
      gates.shift()!();
      await all[i];
    }
  });

  it('give way to the event loop while a long query runs', async () => {
    const big = new MemoryStorage();
    const times = Float64Array.from({ length: 500 }, (_, i) => i * 15_000);
    for (let s = 0; s < 1500; s++) {
      const labels = Labels.fromObject({ __name__: 'm', s: String(s) });
      big.appendColumns(
        labels,
        times,
        Float64Array.from(times, t => t * s),
      );
    }
    const engine = new Engine({ clock: systemClock });
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const long = { startMs: 0, endMs: 7_000_000, stepMs: 15_000 };
    await engine.range(big, 'quantile_over_time(0.9, m[30m])', long);
    running = false;
    expect(turns).toBeGreaterThan(3);
  });
});

describe('metrics', () => {
  it('count queries by outcome', async () => {
    const registry = new Registry();
    const engine = testEngine({ registry });
    const storage = storageOf(MINUTE, 'm 1 2 3');
    await engine.instant(storage, 'm', { timeMs: 0 });
    await codeOf(engine.instant(storage, 'm{', { timeMs: 0 }));
    const family = registry.gather().find(f => f.name === 'outpost_promql_queries_total')!;
    expect(family.samples.map(s => [s.labels.get('outcome'), s.value])).toEqual([
      ['ok', 1],
      ['bad-data', 1],
    ]);
  });
});
