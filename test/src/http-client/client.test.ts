// Requests to a server on loopback: authorization, redirects, limits, proxies, sockets, kept connections.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpClient, type HttpRequest } from '../../../src/http-client/client.ts';
import { HTTP_CLIENT_DEFAULTS, type HttpClientOptions } from '../../../src/http-client/options.ts';
import { proxyFor } from '../../../src/http-client/proxy.ts';
import { TargetServer } from '../../fakes/target-server.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function listen(socketPath?: string): Promise<TargetServer> {
  const server = await TargetServer.listen(socketPath);
  open.push(server);
  return server;
}

function client(options: Partial<HttpClientOptions> = {}, now = (): number => 0): HttpClient {
  const made = new HttpClient({ ...HTTP_CLIENT_DEFAULTS, ...options }, now);
  open.push(made);
  return made;
}

function asking(url: string, changes: Partial<HttpRequest> = {}): HttpRequest {
  return { url, signal: new AbortController().signal, bodyBytesMax: 1000, ...changes };
}

const text = (body: Uint8Array): string => Buffer.from(body).toString();

describe('a client', () => {
  test('reads status, headers and body, and keeps its connection', async () => {
    const server = await listen();
    server.answer = () => ({ status: 404, headers: { 'X-A': 'b' }, body: 'gone' });
    const http = client();
    for (let i = 0; i < 3; i++) {
      const answer = await http.fetch(asking(`${server.url}/x?y=1`));
      expect([answer.status, answer.statusText, answer.header('x-a'), text(answer.body)]).toEqual([
        404,
        'Not Found',
        'b',
        'gone',
      ]);
    }
    expect([server.asked[0]!.url, server.connections]).toEqual(['/x?y=1', 1]);
  });

  test('unpacks gzip, and holds the limit for what is unpacked', async () => {
    const server = await listen();
    server.answer = () => ({ body: 'x'.repeat(5000), packs: true });
    const http = client();
    const headers = { 'Accept-Encoding': 'gzip' };
    const answer = await http.fetch(asking(server.url, { headers, bodyBytesMax: 5000 }));
    expect(answer.body).toHaveLength(5000);
    await expect(
      http.fetch(asking(server.url, { headers, bodyBytesMax: 4999 })),
    ).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: 'body size limit of 4999 bytes exceeded',
    });
    await expect(http.fetch(asking(server.url, { bodyBytesMax: 4999 }))).rejects.toMatchObject({
      code: 'limit-exceeded',
    });
  });

  test('authorizes as it is told, from files as they are now', async () => {
    const server = await listen();
    const file = join(temporaryDirectory(), 'password');
    writeFileSync(file, 'one\n');
    const basic = client({ basicAuth: { username: { text: 'me' }, password: { file } } });
    await basic.fetch(asking(server.url));
    writeFileSync(file, 'two');
    await basic.fetch(asking(server.url));
    await client({ authorization: { type: 'Bearer', credentials: { text: 't' } } }).fetch(
      asking(server.url),
    );
    const header = { values: ['1', '2'], secrets: ['3'], files: [file] };
    await client({ headers: { 'X-Own': header } }).fetch(asking(server.url));
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${btoa('me:one')}`,
      `Basic ${btoa('me:two')}`,
      'Bearer t',
      undefined,
    ]);
    expect(server.asked.at(-1)!.headers['x-own']).toBe('1, 2, 3, two');
    const absent = client({ basicAuth: { username: {}, password: { file: `${file}.absent` } } });
    await expect(absent.fetch(asking(server.url))).rejects.toThrow('no such file or directory');
  });

  test('asks for a token once, and anew before it expires', async () => {
    const server = await listen();
    let tokens = 0;
    server.answer = ({ url }) =>
      url === '/token'
        ? { body: JSON.stringify({ access_token: `t${++tokens}`, expires_in: 60 }) }
        : { body: 'ok' };
    let now = 0;
    const oauth2 = {
      clientId: 'id',
      clientSecret: { text: 'secret' },
      tokenUrl: `${server.url}/token`,
      scopes: ['a', 'b'],
      endpointParams: { audience: 'x' },
      client: HTTP_CLIENT_DEFAULTS,
    };
    const http = client({ oauth2 }, () => now);
    for (now of [0, 49_000, 51_000]) await http.fetch(asking(`${server.url}/m`));
    const asked = server.asked.filter(({ url }) => url === '/m');
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer t1',
      'Bearer t1',
      'Bearer t2',
    ]);
    const [{ headers, body, method }] = server.asked as [(typeof server.asked)[0]];
    expect([method, headers.authorization, body]).toEqual([
      'POST',
      `Basic ${btoa('id:secret')}`,
      'grant_type=client_credentials&audience=x&scope=a+b',
    ]);
  });

  test('follows redirects, without credentials to another host', async () => {
    const [server, other] = [await listen(), await listen()];
    server.answer = ({ url }) =>
      url === '/a'
        ? { status: 302, headers: { Location: '/b' } }
        : { status: 307, headers: { Location: `${other.url}/c` } };
    other.answer = () => ({ body: 'there' });
    const authorization = { type: 'Bearer', credentials: { text: 't' } };
    const answer = await client({ authorization }).fetch(asking(`${server.url}/a`));
    expect(text(answer.body)).toBe('there');
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer t',
      'Bearer t',
    ]);
    expect(other.asked[0]!.headers.authorization).toBeUndefined();
    const stays = client({ followRedirects: false });
    expect((await stays.fetch(asking(`${server.url}/a`))).status).toBe(302);
    server.answer = () => ({ status: 301, headers: { Location: '/' } });
    await expect(client().fetch(asking(server.url))).rejects.toThrow('stopped after 10 redirects');
  });

  test('ends when its signal does, with the signal’s reason', async () => {
    const server = await listen();
    const stop = new AbortController();
    server.answer = () => {
      queueMicrotask(() => stop.abort(new DOMException('too late', 'TimeoutError')));
      return { hangs: true };
    };
    await expect(client().fetch(asking(server.url, { signal: stop.signal }))).rejects.toMatchObject(
      {
        code: 'timeout',
        message: 'too late',
      },
    );
  });

  test('says in words who could not be reached', async () => {
    await expect(client().fetch(asking('http://127.0.0.1:1/'))).rejects.toMatchObject({
      code: 'unavailable',
      message: 'ask 127.0.0.1:1: connection refused',
    });
  });

  test('speaks over a unix socket', async () => {
    const socketPath = join(temporaryDirectory(), 's');
    const server = await listen(socketPath);
    const answer = await client().fetch(asking('http://some-name/x', { socketPath }));
    expect([text(answer.body), server.asked[0]!.headers.host]).toEqual(['a 1\n', 'some-name']);
  });

  test('goes through a proxy unless the host is excepted', async () => {
    const proxy = await listen();
    const options = {
      url: `http://u:p@${proxy.address}`,
      noProxy: '',
      connectHeader: { 'X-P': ['1'] },
    };
    await client({ proxy: options }).fetch(asking('http://target.example:81/x'));
    const [{ url, headers }] = proxy.asked as [(typeof proxy.asked)[0]];
    expect([url, headers.host, headers['x-p'], headers['proxy-authorization']]).toEqual([
      'http://target.example:81/x',
      'target.example:81',
      '1',
      `Basic ${btoa('u:p')}`,
    ]);
  });

  test.each([
    ['', 'http://a.b/', true],
    ['*', 'http://a.b/', false],
    ['b', 'http://a.b/', false],
    ['.b', 'http://a.b/', false],
    ['a.b:81', 'http://a.b/', true],
    ['a.b:80', 'http://a.b/', false],
    ['10.0.0.0/8', 'http://10.1.2.3:9/', false],
    ['10.0.0.0/8', 'http://11.1.2.3:9/', true],
    ['x, 11.1.2.3', 'http://11.1.2.3:9/', false],
  ])('with no_proxy %j, %s through the proxy: %s', (noProxy, url, expected) => {
    const found = proxyFor({ url: 'p:1', noProxy, connectHeader: {} }, new URL(url));
    expect(found !== null).toBe(expected);
  });
});
