import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { type ApiUnderTest, newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;
let tested: ApiUnderTest;

beforeEach(async () => {
  tested = newTestApi(NOW);
  const appender = tested.storage.appender();
  for (const [i, name] of ['b_total', 'a_total', 'c_total'].entries()) {
    const ref = appender.series(Labels.fromObject({ __name__: name }));
    appender.append(ref, NOW, i);
    const labels = Labels.fromObject({ trace_id: `t${i}` });
    appender.appendExemplar(ref, { labels, value: i / 2, time: NOW - 1500 });
    appender.appendExemplar(ref, { labels: Labels.empty, value: Infinity, time: NOW });
  }
  await appender.commit();
});

afterEach(() => tested.api.close());

async function ask(parameters: Record<string, string>): Promise<unknown> {
  const url = `/api/v1/query_exemplars?${new URLSearchParams(parameters)}`;
  const response = await tested.api.inject({ url });
  return response.json();
}

describe('query_exemplars', () => {
  test('answers for every selector of the query, series in label order', async () => {
    const query = 'sum(rate(b_total[5m])) / ignoring(x) a_total offset 1h > 3';
    expect(await ask({ query })).toEqual({
      status: 'success',
      data: [
        {
          seriesLabels: { __name__: 'a_total' },
          exemplars: [
            { labels: { trace_id: 't1' }, value: '0.5', timestamp: 1_699_999_998.5 },
            { labels: {}, value: '+Inf', timestamp: 1_700_000_000 },
          ],
        },
        {
          seriesLabels: { __name__: 'b_total' },
          exemplars: [
            { labels: { trace_id: 't0' }, value: '0', timestamp: 1_699_999_998.5 },
            { labels: {}, value: '+Inf', timestamp: 1_700_000_000 },
          ],
        },
      ],
    });
  });

  test('includes both ends of the range', async () => {
    const range = { query: 'a_total', start: '1699999998.5', end: '1699999999' };
    expect(await ask(range)).toMatchObject({
      data: [{ exemplars: [{ labels: { trace_id: 't1' } }] }],
    });
  });

  test('is empty where nothing is selected', async () => {
    expect(await ask({ query: '1 + 1' })).toEqual({ status: 'success', data: [] });
    expect(await ask({ query: 'absent' })).toEqual({ status: 'success', data: [] });
  });

  test('names what is wrong with a query or a time', async () => {
    expect(await ask({ query: 'a(' })).toMatchObject({
      errorType: 'bad_data',
      error: '1:1: parse error: unknown function with name "a"',
    });
    expect(await ask({ query: 'a', start: '2', end: '1' })).toMatchObject({
      errorType: 'bad_data',
      error: 'end timestamp must not be before start timestamp',
    });
  });

  test('is empty where the mode keeps no exemplars', async () => {
    const { api } = newTestApi(NOW, { exemplars: undefined as never });
    const response = await api.inject({ url: '/api/v1/query_exemplars?query=a_total' });
    expect(response.payload).toBe('{"status":"success","data":[]}');
    await api.close();
  });
});
