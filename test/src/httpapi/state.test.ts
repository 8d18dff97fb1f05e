import { describe, expect, test } from 'vitest';
import { Notifications } from '../../../src/httpapi/notifications.ts';
import type { ApiOptions } from '../../../src/httpapi/options.ts';
import type { ApiTarget } from '../../../src/httpapi/sources.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { RELABEL_DEFAULTS, relabelSteps } from '../../../src/labels/relabel.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;

const target: ApiTarget = {
  discoveredLabels: Labels.fromObject({ __address__: 'os' }),
  labels: Labels.fromObject({ job: 'node', instance: 'h1' }),
  pool: 'plugin/os',
  url: 'plugin://os',
  lastError: '',
  lastScrape: NOW,
  lastScrapeMs: 2.5,
  health: 'up',
  intervalMs: 15_000,
  timeoutMs: 15_000,
  metadata: new Map([
    ['up', { type: 'gauge', help: 'Up.', unit: '' }],
    ['cpu', { type: 'counter', help: 'CPU.', unit: 'seconds' }],
  ]),
};
const other: ApiTarget = {
  ...target,
  labels: Labels.fromObject({ job: 'outpost' }),
  pool: 'agent',
  lastScrape: 0,
  health: 'unknown',
  metadata: new Map(),
};

function asked(changes: Partial<ApiOptions> = {}) {
  const { api } = newTestApi(NOW, { targets: () => [target, other], ...changes });
  return async (url: string, method: 'GET' | 'POST' | 'PUT' = 'GET') => {
    const { statusCode, payload } = await api.inject({ url, method });
    return [statusCode, payload] as const;
  };
}

function success(data: string): readonly [number, string] {
  return [200, `{"status":"success","data":${data}}`];
}

function badData(error: string): readonly [number, string] {
  return [400, JSON.stringify({ status: 'error', errorType: 'bad_data', error })];
}

describe('targets', () => {
  const get = asked();
  const json =
    '{"discoveredLabels":{"__address__":"os"},"labels":{"instance":"h1","job":"node"},"scrapePool":"plugin/os","scrapeUrl":"plugin://os","globalUrl":"plugin://os","lastError":"","lastScrape":"2023-11-14T22:13:20.000Z","lastScrapeDuration":0.0025,"health":"up","scrapeInterval":"15s","scrapeTimeout":"15s"}';
  const counts = '"droppedTargetCounts":{"agent":0,"plugin/os":0}';

  test('are listed, those of one pool too, and none that were dropped', async () => {
    expect(await get('/api/v1/targets?scrapePool=plugin/os')).toEqual(
      success(`{"activeTargets":[${json}],"droppedTargets":[],${counts}}`),
    );
    expect(await get('/api/v1/targets?state=dropped')).toEqual(
      success(`{"activeTargets":[],"droppedTargets":[],${counts}}`),
    );
    const [, all] = await get('/api/v1/targets?state=any');
    expect(JSON.parse(all).data.activeTargets.map((one: object) => Object.values(one)[6])).toEqual([
      '2023-11-14T22:13:20.000Z',
      '0001-01-01T00:00:00Z',
    ]);
  });

  test('have pools', async () => {
    expect(await get('/api/v1/scrape_pools')).toEqual(
      success('{"scrapePools":["agent","plugin/os"]}'),
    );
    expect(await asked({ targets: () => [] })('/api/v1/scrape_pools')).toEqual(
      success('{"scrapePools":[]}'),
    );
  });

  test('say what their metrics mean, by target, by metric and up to a limit', async () => {
    const labels = '"target":{"instance":"h1","job":"node"}';
    const cpu = '"type":"counter","help":"CPU.","unit":"seconds"';
    const up = '"type":"gauge","help":"Up.","unit":""';
    const path = '/api/v1/targets/metadata';
    expect(await get(path)).toEqual(
      success(`[{${labels},"metric":"up",${up}},{${labels},"metric":"cpu",${cpu}}]`),
    );
    expect(await get(`${path}?limit=1`)).toEqual(success(`[{${labels},"metric":"up",${up}}]`));
    expect(await get(`${path}?metric=cpu`)).toEqual(success(`[{${labels},${cpu}}]`));
    expect(await get(`${path}?match_target=%7Bjob%3D%22none%22%7D`)).toEqual(success('[]'));
    expect(await get(`${path}?limit=x`)).toEqual(badData('limit must be a number'));
    expect((await get(`${path}?match_target=%7B`))[1]).toContain(
      'invalid parameter \\"match_target\\": 1:',
    );
  });

  test('that were dropped are shown, and what each rule made of labels', async () => {
    const rules = [
      { ...RELABEL_DEFAULTS, sourceLabels: ['a'], targetLabel: 'b' },
      { ...RELABEL_DEFAULTS, action: 'drop' as const, sourceLabels: ['b'], regex: '1' },
    ];
    const pool = {
      name: 'p',
      dropped: [Labels.fromObject({ a: '1' })],
      droppedCount: 7,
      relabelSteps: (labels: Labels) => relabelSteps(rules, labels),
    };
    const ask = asked({ targets: () => [], scrapePools: () => [pool] });
    const dropped = '"droppedTargets":[{"discoveredLabels":{"a":"1"},"scrapePool":"p"}]';
    const counts = '"droppedTargetCounts":{"p":7}';
    expect(await ask('/api/v1/targets')).toEqual(
      success(`{"activeTargets":[],${dropped},${counts}}`),
    );
    expect(await ask('/api/v1/targets?state=active')).toEqual(
      success(`{"activeTargets":[],"droppedTargets":[],${counts}}`),
    );
    expect(await ask('/api/v1/scrape_pools')).toEqual(success('{"scrapePools":["p"]}'));
    const defaults = '"separator":";","regex":"(.*)"';
    const first = `{"rule":{"source_labels":["a"],${defaults},"target_label":"b","replacement":"$1","action":"replace"},"output":{"a":"1","b":"1"},"keep":true}`;
    const second = `{"rule":{"source_labels":["b"],"separator":";","regex":"1","replacement":"$1","action":"drop"},"output":{},"keep":false}`;
    const path = '/api/v1/targets/relabel_steps?scrapePool=p&labels=%7B%22a%22:%221%22%7D';
    expect(await ask(path)).toEqual(success(`{"steps":[${first},${second}]}`));
  });

  test('are not relabelled', async () => {
    const path = '/api/v1/targets/relabel_steps';
    expect(await get(`${path}?scrapePool=agent&labels=%7B%7D`)).toEqual(success('{"steps":[]}'));
    expect(await get(path)).toEqual(badData('no scrapePool parameter provided'));
    expect(await get(`${path}?scrapePool=agent`)).toEqual(badData('no labels parameter provided'));
    expect(await get(`${path}?scrapePool=x&labels=%7B%7D`)).toEqual(
      badData('error retrieving scrape config: scrape pool "x" not found'),
    );
    expect((await get(`${path}?scrapePool=agent&labels=[1]`))[0]).toBe(400);
  });
});

describe('/status/tsdb', () => {
  const limits: number[] = [];
  const statistics = {
    series: 2,
    chunks: 3,
    minTime: NOW,
    maxTime: NOW + 1,
    labelPairs: 4,
    seriesCountByMetricName: [{ name: 'up', value: 2 }],
    labelValueCountByLabelName: [],
    memoryInBytesByLabelName: [],
    seriesCountByLabelValuePair: [],
  };
  const stats = {
    numSamples: 5,
    numFloatSamples: 5,
    numHistogramSamples: 0,
    numSeries: 1,
    numChunks: 1,
    numTombstones: 0,
  };
  const block = {
    ...{ ulid: '01F', minTime: 1, maxTime: 2, stats },
    compaction: { level: 1, sources: ['01F'] },
  };
  const get = asked({
    store: {
      async statistics(limit) {
        limits.push(limit);
        const isEmpty = limit === 9;
        const [minTime, maxTime] = isEmpty ? [Infinity, -Infinity] : [NOW, NOW + 1];
        return { ...statistics, minTime, maxTime };
      },
      blocks: () => [block],
    },
  });

  test('shows the head and what it has most of', async () => {
    const lists =
      '"seriesCountByMetricName":[{"name":"up","value":2}],"labelValueCountByLabelName":[],"memoryInBytesByLabelName":[],"seriesCountByLabelValuePair":[]';
    expect(await get('/api/v1/status/tsdb')).toEqual(
      success(
        `{"headStats":{"numSeries":2,"numLabelPairs":4,"chunkCount":3,"minTime":1700000000000,"maxTime":1700000000001},${lists}}`,
      ),
    );
    expect((await get('/api/v1/status/tsdb?limit=9'))[1]).toContain(
      '"minTime":9223372036854775807,"maxTime":-9223372036854775808}',
    );
    expect(limits).toEqual([10, 9]);
    expect(await get('/api/v1/status/tsdb?limit=0')).toEqual(
      badData('limit must be a positive number'),
    );
    expect(await get('/api/v1/status/tsdb?limit=10001')).toEqual(
      badData('limit must not exceed 10000'),
    );
  });

  test('lists blocks', async () => {
    expect(await get('/api/v1/status/tsdb/blocks')).toEqual(
      success(
        '{"blocks":[{"ulid":"01F","minTime":1,"maxTime":2,"stats":{"numSamples":5,"numFloatSamples":5,"numSeries":1,"numChunks":1},"compaction":{"level":1,"sources":["01F"]},"version":1}]}',
      ),
    );
  });

  test('says so where nothing is kept', async () => {
    const [status, body] = await asked()('/api/v1/status/tsdb');
    expect([status, JSON.parse(body).error]).toEqual([
      404,
      'no samples are kept here; ask an agent',
    ]);
  });
});

test('/status/self_metrics shows the process’s metrics whose names match', async () => {
  const { api, registry } = newTestApi(NOW);
  registry
    .gaugeVector({ name: 'g', help: 'G.', labelNames: ['a'] })
    .with('b')
    .set(Number.NaN);
  registry.histogram({ name: 'h', help: 'H.' }, [1]).observe(0.5);
  const get = (pattern: string) =>
    api.inject(`/api/v1/status/self_metrics?metric_name_pattern=${pattern}`);
  expect((await get('g|h')).payload).toBe(
    success(
      '[{"name":"g","help":"G.","type":"GAUGE","metric":[{"label":[{"name":"a","value":"b"}],"gauge":{"value":"NaN"}}]},' +
        '{"name":"h","help":"H.","type":"HISTOGRAM","metric":[{"histogram":{"sampleCount":"1","sampleSum":0.5,"bucket":[{"cumulativeCount":"1","upperBound":1}]}}]}]',
    )[1],
  );
  expect((await get('(')).json().error).toMatch(/^invalid metric_name_pattern: /);
});

test('/features tells what this server can do', async () => {
  const [, body] = await asked({ write: () => Promise.reject(new Error('not asked')) })(
    '/api/v1/features',
  );
  const { data } = JSON.parse(body);
  expect(data.api).toMatchObject({ admin: false, lifecycle: false, remote_write_receiver: true });
  expect(data.promql).toMatchObject({ offset: true, per_step_stats: true });
  expect(data.promql_functions).toMatchObject({ rate: true, info: false });
  expect(data.promql_operators).toMatchObject({ '@': true, sum: true, limitk: false });
  expect(data.tsdb).toBeUndefined();
});

describe('lifecycle', () => {
  test('is refused where it is not allowed', async () => {
    expect(await asked()('/-/reload', 'POST')).toEqual([403, 'Lifecycle API is not enabled.\n']);
    expect(await asked()('/-/quit', 'PUT')).toEqual([403, 'Lifecycle API is not enabled.\n']);
    expect((await asked()('/-/reload'))[0]).toBe(405);
  });

  test('reloads and ends', async () => {
    let quit = 0;
    let answer = async () => 'applied: a\n';
    const call = asked({ lifecycle: { reload: () => answer(), quit: () => void quit++ } });
    expect(await call('/-/reload', 'POST')).toEqual([200, 'applied: a\n']);
    answer = () => Promise.reject(new OutpostError('bad-data', 'x.yaml:2:1: unknown key "b"'));
    expect(await call('/-/reload', 'PUT')).toEqual([
      500,
      'failed to reload config: x.yaml:2:1: unknown key "b"\n',
    ]);
    expect(await call('/-/quit', 'POST')).toEqual([200, 'Requesting termination... Goodbye!\n']);
    expect(quit).toBe(1);
  });
});

describe('notifications', () => {
  test('are the conditions that hold', async () => {
    let now = NOW;
    const notifications = new Notifications(() => now);
    const get = asked({ notifications });
    expect(await get('/api/v1/notifications')).toEqual(success('[]'));
    notifications.begin('A.');
    now += 1000;
    notifications.begin('A.');
    notifications.begin('B.');
    notifications.end('B.');
    expect(await get('/api/v1/notifications')).toEqual(
      success('[{"text":"A.","date":"2023-11-14T22:13:20.000Z","active":true}]'),
    );
  });

  test('are told as they change, to a bounded number of listeners', async () => {
    const notifications = new Notifications(() => NOW);
    const gone = new AbortController();
    notifications.begin('A.');
    const events = notifications.events(gone.signal)!;
    const date = '2023-11-14T22:13:20.000Z';
    expect(String((await events.next()).value)).toBe(
      `data: {"text":"A.","date":"${date}","active":true}\n\n`,
    );
    const next = events.next();
    notifications.end('A.');
    expect(String((await next).value)).toBe(
      `data: {"text":"A.","date":"${date}","active":false}\n\n`,
    );
    const last = events.next();
    gone.abort();
    expect((await last).done).toBe(true);
    const { signal } = new AbortController();
    for (let i = 0; i < 16; i++) expect(notifications.events(signal)).not.toBeNull();
    expect(notifications.events(signal)).toBeNull();
  });
});
