import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import type { Queryable } from '../../../src/storage/queryable.ts';
import { type ApiUnderTest, newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;
let tested: ApiUnderTest;

async function fill(seriesCount = 2): Promise<void> {
  const appender = tested.storage.appender();
  for (let i = 0; i < seriesCount; i++) {
    const ref = appender.series(Labels.fromObject({ __name__: 'up', job: 'a', n: String(i) }));
    for (let k = 0; k <= 4; k++) appender.append(ref, NOW - 60_000 + k * 15_000, i + k / 4);
  }
  await appender.commit();
}

beforeEach(async () => {
  tested = newTestApi(NOW);
  await fill();
});

afterEach(() => tested.api.close());

async function get(url: string, headers = {}) {
  const response = await tested.api.inject({ url, headers });
  expect(response.headers['content-type']).toBe('application/json');
  return { status: response.statusCode, body: response.payload };
}

function params(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString();
}

describe('an instant query answers', () => {
  test('a vector, at the time of the clock', async () => {
    expect(await get('/api/v1/query?query=up')).toEqual({
      status: 200,
      body: '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a","n":"0"},"value":[1700000000,"1"]},{"metric":{"__name__":"up","job":"a","n":"1"},"value":[1700000000,"2"]}]}}',
    });
  });

  test('an empty vector', async () => {
    expect((await get('/api/v1/query?query=down')).body).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[]}}',
    );
  });

  test('a matrix', async () => {
    const url = `/api/v1/query?${params({ query: 'up{n="0"}[30s]', time: '1700000000.5' })}`;
    expect((await get(url)).body).toBe(
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a","n":"0"},"values":[[1699999985,"0.75"],[1700000000,"1"]]}]}}',
    );
  });

  test('a scalar and a string, with the time in up to three decimals', async () => {
    const scalar = await get(`/api/v1/query?${params({ query: '1e-7', time: '1.5' })}`);
    expect(scalar.body).toBe(
      '{"status":"success","data":{"resultType":"scalar","result":[1.500,"1e-07"]}}',
    );
    const text = await get(
      `/api/v1/query?${params({ query: '"a\\"b"', time: '2023-11-14T22:13:20.25Z' })}`,
    );
    expect(text.body).toBe(
      '{"status":"success","data":{"resultType":"string","result":[1700000000.250,"a\\"b"]}}',
    );
  });

  test('infinities and minus zero', async () => {
    const values = ['Inf', '-Inf', 'NaN', '-0'];
    const answers = await Promise.all(
      values.map(v => get(`/api/v1/query?${params({ query: v, time: '0' })}`)),
    );
    expect(answers.map(({ body }) => /\[0,"(.*)"\]/.exec(body)?.[1])).toEqual([
      '+Inf',
      '-Inf',
      'NaN',
      '-0',
    ]);
  });

  test('a form posted, whose fields win over those of the URL', async () => {
    const response = await tested.api.inject({
      method: 'POST',
      url: '/api/v1/query?query=down&time=1700000000',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      payload: 'query=up%7Bn%3D%220%22%7D+%2B+1',
    });
    expect(response.payload).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a","n":"0"},"value":[1700000000,"2"]}]}}',
    );
  });

  test('no more series than the limit, and says so', async () => {
    expect((await get('/api/v1/query?query=up&limit=1')).body).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a","n":"0"},"value":[1700000000,"1"]}]},"warnings":["results truncated due to limit"]}',
    );
    expect((await get('/api/v1/query?query=up&limit=2')).body).not.toContain('warnings');
  });

  test('statistics where they are asked for', async () => {
    const { data } = JSON.parse((await get('/api/v1/query?query=up&stats=true')).body);
    expect(Object.keys(data.stats)).toEqual(['timings', 'samples']);
    expect(Object.keys(data.stats.timings)).toEqual([
      'evalTotalTime',
      'resultSortTime',
      'queryPreparationTime',
      'innerEvalTime',
      'execQueueTime',
      'execTotalTime',
    ]);
    expect(data.stats.samples).toEqual({
      totalQueryableSamples: 2,
      samplesRead: data.stats.samples.samplesRead,
      peakSamples: data.stats.samples.peakSamples,
    });
    expect(data.stats.samples.samplesRead).toBeGreaterThan(0);
  });

  test('statistics of every step for stats=all', async () => {
    const { data } = JSON.parse((await get('/api/v1/query?query=up&stats=all')).body);
    expect(Object.keys(data.stats.samples)).toEqual([
      'totalQueryableSamplesPerStep',
      'totalQueryableSamples',
      'samplesRead',
      'peakSamples',
    ]);
    expect(data.stats.samples.totalQueryableSamplesPerStep).toEqual([[1_700_000_000, 2]]);
    const range = { query: 'up', start: '1700000000', end: '1700000001', step: '0.5' };
    const all = JSON.parse(
      (await get(`/api/v1/query_range?${params({ ...range, stats: 'all' })}`)).body,
    );
    expect(all.data.stats.samples.totalQueryableSamplesPerStep).toEqual([
      [1_700_000_000, 2],
      [1_700_000_000.5, 2],
      [1_700_000_001, 2],
    ]);
  });

  test('statistics for any other value, with a warning', async () => {
    const { data, warnings } = JSON.parse((await get('/api/v1/query?query=up&stats=1')).body);
    expect(data.stats.samples.totalQueryableSamples).toBe(2);
    expect(warnings).toEqual([
      'value "1" for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"',
    ]);
  });

  test('what the store warns of, ten sentences at most', async () => {
    for (let i = 0; i < 12; i++) tested.storage.warnings.push(`peer ${i} is down`);
    const { warnings } = JSON.parse((await get('/api/v1/query?query=up')).body);
    expect(warnings).toHaveLength(11);
    expect([warnings[0], warnings[10]]).toEqual([
      'peer 0 is down',
      '2 more warning annotations omitted',
    ]);
  });

  test('infos of the engine with their place', async () => {
    const { infos } = JSON.parse(
      (await get(`/api/v1/query?${params({ query: 'rate(up[1m])' })}`)).body,
    );
    expect(infos).toEqual([expect.stringMatching(/^PromQL info: .* \(1:6\)$/)]);
  });
});

describe('a range query answers', () => {
  test('a matrix over the steps', async () => {
    const url = `/api/v1/query_range?${params({ query: 'up{n="1"}', start: '1699999970', end: '1700000000', step: '15s' })}`;
    expect((await get(url)).body).toBe(
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a","n":"1"},"values":[[1699999970,"1.5"],[1699999985,"1.75"],[1700000000,"2"]]}]}}',
    );
  });

  test('an empty matrix', async () => {
    const url = `/api/v1/query_range?${params({ query: 'down', start: '0', end: '10', step: '5' })}`;
    expect((await get(url)).body).toBe(
      '{"status":"success","data":{"resultType":"matrix","result":[]}}',
    );
  });

  test('exactly 11,000 steps, and not one more', async () => {
    const url = (end: string): string =>
      `/api/v1/query_range?${params({ query: '1', start: '0', end, step: '1' })}`;
    const most = JSON.parse((await get(url('11000.999'))).body);
    expect(most.data.result[0].values).toHaveLength(11_001);
    expect(await get(url('11001'))).toEqual({
      status: 400,
      body: '{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"}',
    });
  });
});

describe('what is wrong is answered in the words of the field', () => {
  const range = (changes: Record<string, string>): string =>
    `/api/v1/query_range?${params({ query: 'up', start: '0', end: '10', step: '1', ...changes })}`;
  test.each([
    [
      '/api/v1/query?query=up&time=yesterday',
      'invalid parameter "time": invalid time value for \'time\': cannot parse "yesterday" to a valid timestamp',
    ],
    [
      '/api/v1/query?query=up&timeout=x',
      'invalid parameter "timeout": cannot parse "x" to a valid duration',
    ],
    ['/api/v1/query?query=up&limit=-1', 'invalid parameter "limit": limit must be non-negative'],
    [
      '/api/v1/query?query=up&limit=x',
      'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax',
    ],
    [
      '/api/v1/query?query=up&lookback_delta=x',
      'error parsing lookback delta duration: cannot parse "x" to a valid duration',
    ],
    [
      '/api/v1/query?query=',
      /^invalid parameter "query": .*: parse error: no expression found in input$/,
    ],
    ['/api/v1/query?query=up%5B', /^invalid parameter "query": 1:\d+: parse error: /],
    [range({ start: '' }), 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    [range({ end: 'x' }), 'invalid parameter "end": cannot parse "x" to a valid timestamp'],
    [range({ end: '-1' }), 'invalid parameter "end": end timestamp must not be before start time'],
    [range({ step: '' }), 'invalid parameter "step": cannot parse "" to a valid duration'],
    [
      range({ step: '0' }),
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      range({ step: '-5' }),
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      range({ query: 'up[1m]' }),
      'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    ],
  ])('%s', async (url, message) => {
    const { status, body } = await get(url);
    const { status: word, errorType, error } = JSON.parse(body);
    expect([status, word, errorType]).toEqual([400, 'error', 'bad_data']);
    if (typeof message === 'string') expect(error).toBe(message);
    else expect(error).toMatch(message);
  });

  test('what the store throws has the status of its code', async () => {
    const codes = [
      ['execution', 422, 'execution'],
      ['limit-exceeded', 422, 'execution'],
      ['timeout', 503, 'timeout'],
      ['canceled', 499, 'canceled'],
      ['unavailable', 503, 'unavailable'],
      ['corrupt', 500, 'internal'],
    ] as const;
    for (const [code, status, errorType] of codes) {
      const queryable: Queryable = {
        querier: () => {
          throw new OutpostError(code, `read: ${code}`);
        },
      };
      const failing = newTestApi(NOW, { queryableFor: () => queryable });
      const response = await failing.api.inject('/api/v1/query?query=up');
      expect([response.statusCode, response.json()]).toEqual([
        status,
        { status: 'error', errorType, error: `read: ${code}` },
      ]);
    }
  });
});

describe('a large answer', () => {
  const remoteAddress = '192.0.2.7';
  const url = `/api/v1/query?${params({ query: 'up[5m]' })}`;

  test('is streamed whole, plain or compressed', async () => {
    await fill(13_000);
    const plain = await tested.api.inject(url);
    expect(plain.headers['content-length']).toBeUndefined();
    expect(plain.payload.length).toBeGreaterThan(1_100_000);
    expect(plain.json().data.result).toHaveLength(13_000);
    const packed = await tested.api.inject({
      url,
      remoteAddress,
      headers: { 'accept-encoding': 'gzip, deflate' },
    });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.rawPayload).toString()).toBe(plain.payload);
  });

  test('is compressed whole where it fits a chunk', async () => {
    await fill(200);
    const packed = await tested.api.inject({
      url,
      remoteAddress,
      headers: { 'accept-encoding': 'deflate, gzip;q=1' },
    });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(Number(packed.headers['content-length'])).toBe(packed.rawPayload.length);
    expect(JSON.parse(gunzipSync(packed.rawPayload).toString()).data.result).toHaveLength(200);
    const refused = await tested.api.inject({
      url,
      remoteAddress,
      headers: { 'accept-encoding': 'gzip;q=0' },
    });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });

  test('is sent as it is where it fits the first flight of a connection', async () => {
    await fill(50);
    const answer = await tested.api.inject({
      url,
      remoteAddress,
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.json().data.result).toHaveLength(50);
  });
});

test('a client that goes away aborts its query', async () => {
  let aborted: Promise<void> | undefined;
  const queryable: Queryable = {
    querier: () => ({
      select: (_matchers, options) => {
        aborted = new Promise((_, reject) => {
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason));
        });
        return aborted as never;
      },
      labelNames: async () => ({ values: [], warnings: [] }),
      labelValues: async () => ({ values: [], warnings: [] }),
      close: () => {},
    }),
  };
  const { api, registry } = newTestApi(NOW, { queryableFor: () => queryable });
  const address = await api.listen({ host: '127.0.0.1', port: 0 });
  const stop = new AbortController();
  const answer = fetch(`${address}/api/v1/query?query=up`, { signal: stop.signal });
  while (!aborted) await new Promise(resolve => setImmediate(resolve));
  stop.abort();
  await expect(answer).rejects.toThrow();
  await expect(aborted).rejects.toThrow(/cancel|closed/);
  await api.close();
  expect(registry.gather().length).toBeGreaterThan(0);
});

test('parameters of the mode reach the choice of store', async () => {
  const seen: string[] = [];
  const { api } = newTestApi(NOW, {
    queryableFor: parameters => {
      seen.push(parameters.text('dedup'), ...parameters.all('replicaLabels[]'));
      return tested.storage;
    },
  });
  await api.inject('/api/v1/query?query=up&dedup=false&replicaLabels[]=a&replicaLabels[]=b');
  expect(seen).toEqual(['false', 'a', 'b']);
});
