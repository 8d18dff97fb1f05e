import { beforeEach, describe, expect, test } from 'vitest';
import { estimateReading } from '../../../src/httpapi/estimate.ts';
import type { MissingPart } from '../../../src/httpapi/read-observer.ts';
import { Reading, Recording } from '../../../src/httpapi/recording.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { encodeColumns } from '../../../src/storage/encode-columns.ts';
import type { Queryable } from '../../../src/storage/queryable.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { listSeriesSet } from '../../../src/storage/series-list.ts';
import { type ApiUnderTest, newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;
const MISSING: MissingPart = {
  ...{ place: 'endpoint b', minTime: NOW - 1000, maxTime: NOW },
  ...{ labelSets: [{ host: 'b' }], reason: 'gone' },
};

let tested: ApiUnderTest;

beforeEach(async () => {
  tested = newTestApi(NOW, {
    queryableFor: (_parameters, observer) => ({
      querier: (minTime, maxTime) => {
        const querier = tested.storage.querier(minTime, maxTime);
        return {
          ...{ labelNames: querier.labelNames, labelValues: querier.labelValues },
          select: (matchers, options) => {
            observer?.asked({ place: 'head', minTime, maxTime });
            if (matchers.some(({ value }) => value === 'half')) observer?.missing(MISSING);
            if (matchers.some(({ value }) => value === 'slow')) tested.clock.advance(5000);
            return querier.select(matchers, options);
          },
          close: () => {},
        };
      },
    }),
  });
  const appender = tested.storage.appender();
  for (const job of ['a', 'b']) {
    const ref = appender.series(Labels.fromObject({ __name__: 'up', job }));
    for (let i = 9; i >= 0; i--) appender.append(ref, NOW - i * 15_000, i);
  }
  await appender.commit();
});

async function explain(search: string) {
  const response = await tested.api.inject(`/api/v1/query_explain?${search}`);
  return response.json();
}

describe('/query_explain', () => {
  test('gives the plan with what was read, where and of which times', async () => {
    const { status, data } = await explain('query=sum(rate(up[1m]))%2B1');
    expect([status, data.analyzed, data.total, data.missing]).toEqual([
      'success',
      true,
      { series: 2, samples: 8, bytes: null },
      [],
    ]);
    const read = { start: 1_699_999_940.001, end: 1_700_000_000 };
    const reads = {
      ...read,
      ...{ series: 2, samples: 8, bytes: null, seconds: 0 },
      places: [{ place: 'head', ...read }],
    };
    const type = 'instant vector';
    const spent = { seconds: 0, ownSeconds: 0 };
    expect(data.plan).toEqual({
      ...{ kind: 'binary', text: 'sum(rate(up[1m])) + 1', type },
      ...spent,
      children: [
        {
          ...{ kind: 'aggregate', text: 'sum(rate(up[1m]))', type },
          ...spent,
          children: [
            {
              ...{ kind: 'call', text: 'rate(up[1m])', type },
              ...spent,
              children: [
                {
                  ...{ kind: 'matrix-selector', text: 'up[1m]', type: 'range vector' },
                  children: [{ kind: 'vector-selector', text: 'up', type, reads }],
                },
              ],
            },
          ],
        },
        { kind: 'number', text: '1', type: 'scalar', ...spent },
      ],
    });
    expect(data.stats).toMatchObject({ queueSeconds: 0, evaluationSeconds: 0 });
  });

  test('says what each part takes, with its own parts and without', async () => {
    const { data } = await explain('query=sum(max_over_time(up[1m]))%2B(up{job="slow"}%2B1)');
    const [sum, parens] = data.plan.children;
    const times = ({ seconds, ownSeconds }: Record<string, number>) => [seconds, ownSeconds];
    expect(times(data.plan)).toEqual([5, 0]);
    expect(times(sum)).toEqual([0, 0]);
    expect(times(parens)).toEqual([5, 0]);
    expect(times(parens.children[0].children[0])).toEqual([5, 5]);
    // A range is read by the function of it.
    expect(sum.children[0].children[0].seconds).toBeUndefined();
  });

  test('estimates without evaluating', async () => {
    const { data } = await explain('query=up[2m]&analyze=false');
    expect([data.analyzed, data.total, data.stats]).toEqual([
      false,
      { series: 2, samples: 16, bytes: null },
      undefined,
    ]);
    expect(data.plan.children[0].reads).toMatchObject({
      ...{ series: 2, samples: 16 },
      places: [{ place: 'head' }],
    });
    expect((await explain('query=half&analyze=false')).data.missing).toHaveLength(1);
  });

  test('gives each of several selectors its own', async () => {
    const range = 'start=1700000000&end=1700000030&step=15';
    const { data } = await explain(`query=up%20or%20up%20offset%201m%20or%20down&${range}`);
    const reads: [string, number, number][] = [];
    const walk = (node: { text: string; reads?: { end: number; samples: number } }) => {
      if (node.reads) reads.push([node.text, node.reads.end, node.reads.samples]);
      for (const child of (node as { children?: (typeof node)[] }).children ?? []) walk(child);
    };
    walk(data.plan);
    expect(reads).toEqual([
      ['up', 1_700_000_030, 20],
      ['up offset 1m', 1_699_999_970, 16],
      ['down', 1_700_000_030, 0],
    ]);
  });

  test('names what could not be read', async () => {
    const { data } = await explain('query=half');
    expect(data.missing).toEqual([
      {
        ...{ place: 'endpoint b', start: 1_699_999_999, end: 1_700_000_000 },
        ...{ labelSets: [{ host: 'b' }], reason: 'gone' },
      },
    ]);
  });

  test('refuses what it cannot mean', async () => {
    expect((await explain('query=up&analyze=x')).error).toBe(
      'invalid parameter "analyze": expected true or false',
    );
    expect((await explain('query=(')).error).toMatch(/^invalid parameter "query": 1:/);
    expect((await explain('query=up&start=1')).error).toMatch(/^invalid parameter "end": /);
  });
});

test('statistics of a query tell what could not be read', async () => {
  const stats = async (query: string): Promise<unknown> =>
    (await tested.api.inject(`/api/v1/query?query=${query}&stats=true`)).json().data.stats.missing;
  expect(await stats('up')).toBeUndefined();
  expect(await stats('half or half')).toEqual([
    {
      ...{ place: 'endpoint b', start: 1_699_999_999, end: 1_700_000_000 },
      ...{ labelSets: [{ host: 'b' }], reason: 'gone' },
    },
  ]);
});

test('chunks are counted whole inside the range and decoded at its edges', async () => {
  const columns = new SampleColumns();
  // Ten samples, a long gap, and 290 more.
  for (let i = 0; i < 300; i++) columns.push(NOW - 290_000 + i * 1000 - (i < 10 ? 1e6 : 10_000), i);
  const chunks = encodeColumns(columns);
  const labels = Labels.fromObject({ __name__: 'up' });
  const series = { labels, label: () => '', chunks: () => chunks, samples: () => {} };
  const store: Queryable = {
    querier: () => ({
      select: async () => listSeriesSet([series, series]),
      labelNames: () => Promise.reject(new Error('not asked')),
      labelValues: () => Promise.reject(new Error('not asked')),
      close: () => {},
    }),
  };
  const recording = new Recording(() => 0);
  const reading = new Reading([], NOW - 250_000, NOW, '');
  const { signal } = new AbortController();
  await estimateReading(store, reading, { recording, signal });
  expect([reading.series, reading.samples]).toEqual([2, 500]);
  const bytes = chunks.reduce((sum, { data }) => sum + data.length, 0);
  expect(reading.bytes).toBeLessThan(2 * bytes);
  expect(reading.bytes).toBeGreaterThan(bytes);
});
