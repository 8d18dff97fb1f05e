import { connect } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeFamilies } from '../../../src/exposition/dialect.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { RemoteWriteReceiver } from '../../../src/remote/receiver.ts';
import { type ApiUnderTest, BUILD_INFO, newTestApi } from '../../fakes/api.ts';
import { writeBody } from '../../fakes/write-request.ts';

const NOW = 1_700_000_000_000;
let tested: ApiUnderTest;

beforeEach(async () => {
  tested = newTestApi(NOW);
  const appender = tested.storage.appender();
  const sets = [
    { __name__: 'up', job: 'a' },
    { __name__: 'up', job: 'b', 'dotted.name': 'x' },
    { __name__: 'cpu', job: 'a' },
  ];
  for (const set of sets) appender.append(appender.series(Labels.fromObject(set)), NOW, 1);
  appender.metadata('up', { type: 'gauge', help: 'Up.', unit: '' });
  appender.metadata('cpu', { type: 'counter', help: 'CPU.', unit: 'seconds' });
  await appender.commit();
});

async function get(url: string, headers = {}) {
  const response = await tested.api.inject({ url, headers });
  return { status: response.statusCode, body: response.payload };
}

function success(data: string): { status: number; body: string } {
  return { status: 200, body: `{"status":"success","data":${data}}` };
}

function badData(error: string): { status: number; body: string } {
  return { status: 400, body: JSON.stringify({ status: 'error', errorType: 'bad_data', error }) };
}

describe('/series', () => {
  test('lists label sets', async () => {
    expect(await get('/api/v1/series?match[]=up')).toEqual(
      success('[{"__name__":"up","dotted.name":"x","job":"b"},{"__name__":"up","job":"a"}]'),
    );
  });

  test('joins several selectors without repetition', async () => {
    expect(await get('/api/v1/series?match[]=%7Bjob%3D%22a%22%7D&match[]=cpu')).toEqual(
      success('[{"__name__":"cpu","job":"a"},{"__name__":"up","job":"a"}]'),
    );
  });

  test('looks at the asked range alone', async () => {
    expect(await get('/api/v1/series?match[]=up&end=1699999999')).toEqual(success('[]'));
    expect((await get('/api/v1/series?match[]=up&start=2023-11-14T22:13:20Z')).body).toContain(
      '"a"',
    );
  });

  test('cuts at the limit and says so', async () => {
    expect((await get('/api/v1/series?match[]=up&limit=1')).body).toBe(
      '{"status":"success","data":[{"__name__":"up","dotted.name":"x","job":"b"}],"warnings":["results truncated due to limit"]}',
    );
  });

  test('refuses what it cannot mean', async () => {
    expect(await get('/api/v1/series')).toEqual(badData('no match[] parameter provided'));
    expect((await get('/api/v1/series?match[]=%7Bjob%3D~%22.*%22%7D')).body).toContain(
      'invalid parameter \\"match[]\\": match[] must contain at least one non-empty matcher',
    );
    expect((await get('/api/v1/series?match[]=%7B')).body).toContain(
      'invalid parameter \\"match[]\\": 1:',
    );
    expect(await get('/api/v1/series?match[]=up&start=2&end=1')).toEqual(
      badData('invalid parameter "end": end timestamp must not be before start time'),
    );
  });

  test('stops at the list limit of the server', async () => {
    const small = newTestApi(NOW, { limits: { listMax: 1 }, queryableFor: () => tested.storage });
    const response = await small.api.inject('/api/v1/series?match[]=up');
    expect([response.statusCode, response.json().error]).toEqual([
      422,
      'list series: more than 1 match; narrow match[] or pass a limit',
    ]);
  });
});

describe('/labels and /label/<name>/values', () => {
  test('list names', async () => {
    expect(await get('/api/v1/labels')).toEqual(success('["__name__","dotted.name","job"]'));
    expect(await get('/api/v1/labels?match[]=cpu')).toEqual(success('["__name__","job"]'));
    expect((await get('/api/v1/labels?limit=1')).body).toBe(
      '{"status":"success","data":["__name__"],"warnings":["results truncated due to limit"]}',
    );
  });

  test('list values, of names in UTF-8 as they are or escaped', async () => {
    expect(await get('/api/v1/label/job/values')).toEqual(success('["a","b"]'));
    expect(await get('/api/v1/label/__name__/values?match[]=%7Bjob%3D%22a%22%7D')).toEqual(
      success('["cpu","up"]'),
    );
    expect(await get('/api/v1/label/U__dotted_2e_name/values')).toEqual(success('["x"]'));
    expect(await get('/api/v1/label/dotted.name/values')).toEqual(success('["x"]'));
    expect(await get('/api/v1/label/none/values')).toEqual(success('[]'));
    expect(await get(`/api/v1/label/${'n'.repeat(1025)}/values`)).toEqual(
      badData(`invalid label name: "${'n'.repeat(1025)}"`),
    );
  });
});

test('/metadata lists families, one on request, and cuts at the limit', async () => {
  const cpu = '"cpu":[{"type":"counter","help":"CPU.","unit":"seconds"}]';
  const up = '"up":[{"type":"gauge","help":"Up.","unit":""}]';
  expect(await get('/api/v1/metadata')).toEqual(success(`{${cpu},${up}}`));
  expect(await get('/api/v1/metadata?limit=1')).toEqual(success(`{${cpu}}`));
  expect(await get('/api/v1/metadata?metric=up&limit_per_metric=1')).toEqual(success(`{${up}}`));
  expect(await get('/api/v1/metadata?metric=none')).toEqual(success('{}'));
  expect(await get('/api/v1/metadata?limit=x')).toEqual(badData('limit must be a number'));
});

test('/format_query spells a query canonically', async () => {
  expect(await get('/api/v1/format_query?query=sum(up)by(job)')).toEqual(
    success('"sum by (job) (up)"'),
  );
  expect((await get('/api/v1/format_query?query=sum(')).body).toContain(
    'invalid parameter \\"query\\": 1:',
  );
});

describe('status', () => {
  test('build info is there, other pages where the mode has them', async () => {
    expect(await get('/api/v1/status/buildinfo')).toEqual(success(JSON.stringify(BUILD_INFO)));
    expect((await get('/api/v1/status/flags')).status).toBe(404);
    const { api } = newTestApi(NOW, { status: { flags: () => ({ 'log.level': 'info' }) } });
    expect((await api.inject('/api/v1/status/flags')).payload).toBe(
      '{"status":"success","data":{"log.level":"info"}}',
    );
  });

  test('before the store is ready only health and metrics are served', async () => {
    let ready = false;
    const { api } = newTestApi(NOW, { ready: () => ready, metrics: () => 'a 1\n' });
    const statuses = async (): Promise<number[]> => {
      const urls = ['/-/healthy', '/-/ready', '/metrics', '/api/v1/labels'];
      return (await Promise.all(urls.map(url => api.inject(url)))).map(r => r.statusCode);
    };
    expect(await statuses()).toEqual([200, 503, 200, 503]);
    ready = true;
    expect(await statuses()).toEqual([200, 200, 200, 200]);
  });

  test('/metrics negotiates its format and filters by collector', async () => {
    const { api, registry } = newTestApi(NOW, {
      metrics: (exposition, filter) =>
        `# ${filter.collect}|${filter.exclude}\n${writeFamilies([], exposition.dialect)}`,
    });
    const text = await api.inject('/metrics?collect[]=cpu&collect[]=disk');
    expect([text.headers['content-type'], text.payload]).toEqual([
      'text/plain; version=0.0.4; charset=utf-8',
      '# cpu,disk|\n',
    ]);
    const accept = 'application/openmetrics-text;version=1.0.0';
    const open = await api.inject({ url: '/metrics?exclude[]=cpu', headers: { accept } });
    expect([open.headers['content-type'], open.payload]).toEqual([
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
      '# |cpu\n# EOF\n',
    ]);
    expect((await api.inject('/metrics?exclude[]=cpu&collect[]=disk')).statusCode).toBe(400);
    const family = registry.gather().find(f => f.name === 'prometheus_http_requests_total')!;
    const counts = family.samples.map(s => [
      s.labels.get('handler'),
      s.labels.get('code'),
      s.value,
    ]);
    expect(counts).toEqual([
      ['/metrics', '200', 2],
      ['/metrics', '400', 1],
    ]);
  });
});

describe('/api/v1/write', () => {
  const body = Buffer.from(writeBody([{ labels: [['__name__', 'new']], samples: [[NOW, 1]] }]));
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };

  test('hands bodies to the receiver and passes its answer on', async () => {
    const { storage, clock, registry } = tested;
    const receiver = new RemoteWriteReceiver({ appendable: storage, clock, registry, seed: 1 });
    const { api } = newTestApi(NOW, { write: (bytes, h) => receiver.receive(bytes, h) });
    const post = (payload: Buffer, extra = {}) =>
      api.inject({
        method: 'POST',
        url: '/api/v1/write',
        headers: { ...headers, ...extra },
        payload,
      });
    const stored = await post(body);
    expect([stored.statusCode, stored.payload]).toEqual([204, '']);
    expect(storage.samplesOf(Labels.fromObject({ __name__: 'new' })).times).toEqual([NOW]);
    const damaged = await post(body.subarray(0, 8));
    expect([damaged.statusCode, damaged.headers['content-type'], damaged.payload]).toEqual([
      400,
      'text/plain; charset=utf-8',
      'decode snappy: the block is damaged or cut short\n',
    ]);
    expect((await post(body, { 'content-encoding': 'zstd' })).statusCode).toBe(415);
    storage.failCommits(new OutpostError('unavailable', 'write the log: disk full'));
    const full = await post(body);
    expect([full.statusCode, full.headers['retry-after']]).toEqual([503, '5']);
  });

  test('is bounded, and says where it is not taken', async () => {
    const post = { method: 'POST', url: '/api/v1/write', headers } as const;
    expect((await tested.api.inject({ ...post, payload: body })).statusCode).toBe(404);
    const small = newTestApi(NOW, { limits: { writeBytesMax: 5 } });
    const response = await small.api.inject({ ...post, payload: body });
    expect([response.statusCode, response.json().error]).toEqual([
      413,
      'the request body is larger than this server takes; send less at a time',
    ]);
    expect((await tested.api.inject('/api/v1/write')).statusCode).toBe(405);
  });
});

test('a snapshot is made where the mode allows it', async () => {
  const seen: boolean[] = [];
  const { api } = newTestApi(NOW, {
    admin: {
      snapshot: async ({ skipHead }) => {
        seen.push(skipHead);
        return '20231114T221320Z-1';
      },
      deleteSeries: () => expect.fail('nothing is to be deleted'),
      cleanTombstones: () => expect.fail('nothing is to be cleaned'),
    },
  });
  const post = (query: string) =>
    api.inject({ method: 'POST', url: `/api/v1/admin/tsdb/snapshot${query}` });
  expect((await post('?skip_head=true')).payload).toBe(
    '{"status":"success","data":{"name":"20231114T221320Z-1"}}',
  );
  expect((await post('')).statusCode).toBe(200);
  expect(seen).toEqual([true, false]);
  expect((await post('?skip_head=maybe')).json().error).toBe(
    'invalid parameter "skip_head": unable to parse boolean "skip_head" argument',
  );
  const closed = await tested.api.inject({ method: 'PUT', url: '/api/v1/admin/tsdb/snapshot' });
  expect(closed.json()).toEqual({
    status: 'error',
    errorType: 'unavailable',
    error: 'admin APIs disabled; an agent allows them with --web.enable-admin-api',
  });
});

describe('what no route takes', () => {
  test('an unknown path is a sentence', async () => {
    const response = await tested.api.inject('/api/v1/nonsense?x=1');
    expect([response.statusCode, response.headers['content-type'], response.payload]).toEqual([
      404,
      'application/json',
      '{"status":"error","errorType":"not_found","error":"there is no /api/v1/nonsense; the query API lies under /api/v1/"}',
    ]);
  });

  test('a wrong method names the right ones', async () => {
    const response = await tested.api.inject({ method: 'DELETE', url: '/api/v1/query' });
    expect([response.statusCode, response.headers['allow'], response.json().error]).toEqual([
      405,
      'GET, POST',
      'DELETE is not allowed for /api/v1/query; use GET or POST',
    ]);
  });

  test('a form that is too long is refused', async () => {
    const { api } = newTestApi(NOW, { limits: { formBytesMax: 10 } });
    const response = await api.inject({
      method: 'POST',
      url: '/api/v1/query',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'query=up&time=1',
    });
    expect([response.statusCode, response.json().errorType]).toEqual([413, 'bad_data']);
  });

  test('a URL that is too long is answered with the way out', async () => {
    const address = new URL(await tested.api.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(address.port), address.hostname);
    socket.write(`GET /api/v1/query?query=${'a'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toMatch(/^HTTP\/1.1 431 .*"errorType":"bad_data".*send the query in a POST form/s);
    await tested.api.close();
  });

  test('bodies of other types are no form', async () => {
    const response = await tested.api.inject({
      method: 'POST',
      url: '/api/v1/query?query=1&time=0',
      headers: { 'content-type': 'application/json' },
      payload: '{"query":"2"}',
    });
    expect(response.json().data.result).toEqual([0, '1']);
  });
});

describe('other web origins', () => {
  const preflight = { method: 'OPTIONS', url: '/api/v1/query' } as const;

  test('are let in by pattern', async () => {
    const { api } = newTestApi(NOW, { corsOrigin: 'https://(a|b)\\.example' });
    const seen = async (origin: string) => {
      const response = await api.inject({ ...preflight, headers: { origin } });
      expect(response.statusCode).toBe(204);
      return response.headers['access-control-allow-origin'];
    };
    expect(await seen('https://a.example')).toBe('https://a.example');
    expect(await seen('https://evil.example')).toBeUndefined();
    const { headers } = await api.inject({
      url: '/-/healthy',
      headers: { origin: 'https://b.example' },
    });
    expect(headers).toMatchObject({
      'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-expose-headers': 'Date',
      vary: 'Origin, Accept-Encoding',
    });
  });

  test('are all let in by .*, and none by default', async () => {
    const open = newTestApi(NOW, { corsOrigin: '.*' });
    const headers = { origin: 'http://x' };
    expect(
      (await open.api.inject({ ...preflight, headers })).headers['access-control-allow-origin'],
    ).toBe('*');
    const shut = await tested.api.inject({ url: '/-/healthy', headers });
    expect(shut.headers['access-control-allow-origin']).toBeUndefined();
  });
});

test('filters of rules are checked where there are no rules', async () => {
  expect(await get('/api/v1/rules?type=alert&group_limit=1&match[]=up')).toEqual(
    success('{"groups":[]}'),
  );
  expect(await get('/api/v1/rules?type=x')).toEqual(
    badData('invalid parameter "type": not supported value "x"'),
  );
  expect(await get('/api/v1/rules?group_limit=x')).toEqual(
    badData('invalid parameter "group_limit": group_limit needs to be a valid number'),
  );
});
