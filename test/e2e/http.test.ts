// Bad input over HTTP, against a real agent: Prometheus' envelope and status with a clear sentence each, the
// agent goes on serving, and nothing valid is lost.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, Processes, type Running } from './processes.ts';
import { remoteWrite, type WriteSeries, writeBody } from './remote-write.ts';

const processes = new Processes();
let agent: Running;
beforeAll(async () => {
  agent = await processes.start('agent', [
    ...['--data-dir', processes.folder(), '--no-plugins', '--no-self-metrics'],
    '--web.enable-remote-write-receiver',
  ]);
});
afterAll(() => processes.cleanUp());

interface Problem {
  readonly status: number;
  readonly errorType: string;
  readonly error: string;
}

async function problem(path: string, init: RequestInit = {}): Promise<Problem> {
  const answer = await fetch(agent.url + path, init);
  const text = await answer.text();
  expect(answer.headers.get('content-type'), text).toContain('application/json');
  const body = JSON.parse(text) as { status: string; errorType: string; error: string };
  expect(body.status).toBe('error');
  return { status: answer.status, errorType: body.errorType, error: body.error };
}

const form = (parameters: Record<string, string>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(parameters),
});

describe('a wrong request', () => {
  const parseError = 'invalid parameter "query": ';
  const step = 'invalid parameter "step": ';
  it.each<[path: string, status: number, said: string]>([
    ['query', 400, `${parseError}unknown position: parse error: no expression found in input`],
    ['query?query=sum(rate(x[5m])', 400, `${parseError}1:16: parse error: unclosed left paren`],
    ['query?query=rate(x)', 400, `${parseError}1:6: parse error: expected type range vector`],
    ['query?query=nope(x)', 400, 'unknown function with name "nope"'],
    ['query?query=up&time=noon', 400, "invalid time value for 'time': cannot parse"],
    ['query?query=up&timeout=x', 400, 'invalid parameter "timeout": cannot parse "x" to a valid'],
    ['query?query=up&limit=-1', 400, 'invalid parameter "limit": limit must be non-negative'],
    ['query_range?query=up&start=0&end=1', 400, `${step}cannot parse "" to a valid duration`],
    ['query_range?query=up&start=0&end=1&step=0', 400, `${step}zero or negative query resolution`],
    ['query_range?query=up&start=0&end=1&step=x', 400, `${step}cannot parse "x" to a valid`],
    ['query_range?query=up&start=1&end=0&step=1', 400, 'end timestamp must not be before start'],
    ['query_range?query=up&start=0&end=11001&step=1', 400, 'exceeded maximum resolution of 11,000'],
    ['series', 400, 'no match[] parameter provided'],
    ['series?match[]={}', 400, 'invalid parameter "match[]": match[] must contain at least one'],
    ['series?match[]={a=~"("}', 400, 'invalid regular expression "(": error parsing regexp'],
    ['labels?match[]={a=', 400, 'invalid parameter "match[]": 1:4: parse error'],
    ['labels?start=5&end=1', 400, 'end timestamp must not be before start'],
    ['label/job/values?limit=x', 400, 'strconv.Atoi: parsing "x": invalid syntax'],
    ['metadata?limit=x', 400, 'limit must be a number'],
    ['nope', 404, 'there is no /api/v1/nope; the query API lies under /api/v1/'],
    ['status/nope', 404, 'there is no /api/v1/status/nope'],
  ])('%s is answered %i', async (path, status, said) => {
    const { error, ...rest } = await problem(`/api/v1/${path}`);
    expect(rest).toEqual({ status, errorType: status === 404 ? 'not_found' : 'bad_data' });
    expect(error).toContain(said);
  });

  it('of the wrong method is told which are right', async () => {
    const answer = await fetch(`${agent.url}/api/v1/query?query=up`, { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect(((await answer.json()) as Problem).error).toBe(
      'DELETE is not allowed for /api/v1/query; use GET or POST',
    );
  });

  it('to the admin API is told the flag', async () => {
    expect(await problem('/api/v1/admin/tsdb/snapshot', { method: 'POST' })).toEqual({
      status: 503,
      errorType: 'unavailable',
      error: 'admin APIs disabled; an agent allows them with --web.enable-admin-api',
    });
  });

  it('that is huge is refused at once', async () => {
    const began = performance.now();
    const long = await problem('/api/v1/query', form({ query: '('.repeat(1_000_000) }));
    expect([long.status, long.error]).toEqual([400, expect.stringContaining('more than 50000')]);
    const body = await problem('/api/v1/query', form({ query: 'a'.repeat(5_000_000) }));
    expect([body.status, body.error]).toEqual([413, expect.stringContaining('larger than this')]);
    expect(performance.now() - began).toBeLessThan(5000);
    const url = await fetch(`${agent.url}/api/v1/query?query=${'a'.repeat(70_000)}`);
    expect([url.status, await url.text()]).toEqual([431, expect.stringContaining('POST form')]);
  });
});

const now = Math.floor(Date.now() / 1000) * 1000;
const series = (
  name: string,
  samples: WriteSeries['samples'],
  labels: Record<string, string> = {},
): WriteSeries => ({ labels: { __name__: name, ...labels }, samples });

async function write(
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<[status: number, text: string]> {
  const answer = await fetch(`${agent.url}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      ...headers,
    },
    body,
  });
  return [answer.status, await answer.text()];
}

async function stored(name: string): Promise<(readonly [number, string])[]> {
  const query = { query: `${name}[1h]`, time: now / 1000 + 60 };
  return (await api(agent.url, 'query', query)).data.result.flatMap(one => one.values!);
}

describe('remote write', () => {
  it('that cannot be read is answered 400 with the reason, and the next one is taken', async () => {
    const good = writeBody([series('broken', [[now, 1]])]);
    const [cut, cutText] = await write(good.slice(0, good.length - 3));
    expect([cut, cutText]).toEqual([400, expect.stringMatching(/snappy/)]);
    // A length of 2 GiB in front of five bytes.
    const bomb = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x07, 0, 0, 0, 0, 0]);
    const [big, bigText] = await write(bomb);
    expect([big, bigText]).toEqual([400, expect.stringMatching(/33554432|32 MiB|larger/)]);
    const [empty] = await write(new Uint8Array(0));
    expect(empty).toBe(400);
    expect(await write(good)).toEqual([204, '']);
    expect(await stored('broken')).toEqual([[now / 1000, '1']]);
  });

  it('of another kind is answered 415', async () => {
    const good = writeBody([series('kind', [[now, 1]])]);
    expect(await write(good, { 'content-type': 'application/json' })).toEqual([
      415,
      expect.stringContaining('application/json'),
    ]);
    expect((await write(good, { 'content-encoding': 'zstd' }))[0]).toBe(415);
    expect(await stored('kind')).toEqual([]);
  });

  it('keeps what is valid of a request and names what is not', async () => {
    expect(await remoteWrite(agent.url, [series('mixed', [[now, 1]], { n: 'old' })])).toBe(204);
    const [status, text] = await write(
      writeBody([
        series('mixed', [[now - 7_200_000, 5]], { n: 'old' }),
        series('mixed', [[now, 9]], { n: 'old' }),
        series('mixed', [[now, 2]], { n: 'new' }),
        series('mixed', [[now, 3]], { 'not\u0000ok': '', n: 'odd' }),
      ]),
    );
    expect(status).toBe(400);
    expect(text).toMatch(/too-old/);
    expect(text).toMatch(/duplicate/);
    expect(text).toContain('mixed');
    const { data } = await api(agent.url, 'query', { query: 'mixed', time: now / 1000 });
    expect(data.result.map(one => [one.metric['n'], one.value![1]]).sort()).toEqual([
      ['new', '2'],
      ['odd', '3'],
      ['old', '1'],
    ]);
  });

  it('of labels that cannot be is refused, and the series beside them are stored', async () => {
    const [status, text] = await write(
      writeBody([
        { labels: { job: 'nameless' }, samples: [[now, 1]] },
        series('beside', [[now, 4]]),
        series('', [[now, 1]]),
      ]),
    );
    expect([status, text]).toEqual([400, expect.stringMatching(/name/)]);
    expect(await stored('beside')).toEqual([[now / 1000, '4']]);
  });

  it('is told the flag where it is not taken', async () => {
    const closed = await processes.start('query', ['--endpoint', agent.grpc]);
    const answer = await fetch(`${closed.url}/api/v1/write`, { method: 'POST', body: 'x' });
    expect([answer.status, await answer.text()]).toEqual([
      404,
      'remote write is not taken here; an agent takes it with --web.enable-remote-write-receiver\n',
    ]);
  });
});

describe('after all that', () => {
  it('the agent serves, without a bug in its log', async () => {
    expect((await fetch(`${agent.url}/-/ready`)).status).toBe(200);
    expect(agent.stderr()).not.toMatch(/this is a bug|internal error|level=error/);
  });
});
