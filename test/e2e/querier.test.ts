// A querier and its endpoints: none, one that comes later, one that goes, names, selections, and a querier
// over a querier. What is missing from an answer is always said.

import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ApiAnswer, api, Processes, type Running, until } from './processes.ts';
import { remoteWrite } from './remote-write.ts';

const processes = new Processes();
afterEach(() => processes.cleanUp());

const now = Math.floor(Date.now() / 1000);

/** An agent with one series; its gRPC address where it matters. */
async function startAgent(name: string, grpc = '127.0.0.1:0'): Promise<Running> {
  const agent = await processes.start('agent', [
    ...['--data-dir', processes.folder(), '--label', `replica=${name}`, '--grpc-address', grpc],
    ...['--no-plugins', '--no-self-metrics', '--web.enable-remote-write-receiver'],
  ]);
  const series = { labels: { __name__: 'seen', by: name }, samples: [[now * 1000, 1]] as const };
  expect(await remoteWrite(agent.url, [series])).toBe(204);
  return agent;
}

const startQuerier = (...endpoints: string[]): Promise<Running> =>
  processes.start(
    'query',
    endpoints.flatMap(endpoint => ['--endpoint', endpoint]),
  );

const ask = (querier: Running, parameters: Record<string, string> = {}): Promise<ApiAnswer> =>
  api(querier.url, 'query', { query: 'seen', time: now, ...parameters });

const seenBy = (answer: ApiAnswer): string[] =>
  answer.data.result.map(({ metric }) => metric['by']!).sort();

const sees = (querier: Running, ...names: string[]): Promise<void> =>
  until(async () => `${seenBy(await ask(querier))}` === `${names}`, `it sees ${names}`);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

describe('a querier', () => {
  it('without endpoints says so and answers with nothing', async () => {
    const querier = await startQuerier();
    expect(querier.stderr()).toContain(
      'level=warn msg="no endpoints: every answer will be empty; add --endpoint host:9191"',
    );
    const answer = await ask(querier);
    expect([answer.status, answer.data.result, answer.warnings]).toEqual([
      'success',
      [],
      undefined,
    ]);
  });

  it('warns of an endpoint that is down, and has its data once it is up', async () => {
    const late = `127.0.0.1:${await freePort()}`;
    const early = await startAgent('a');
    const querier = await startQuerier(early.grpc, late);
    await sees(querier, 'a');
    const reason = `endpoint ${late}: not asked because it is not healthy: connect: connection refused`;
    expect((await ask(querier)).warnings).toEqual([reason]);
    const strict = await ask(querier, { partial_response: 'false' });
    expect([strict.status, strict.error]).toEqual(['error', reason]);
    expect(querier.stderr()).toContain(
      `msg="endpoint is not healthy" component=endpoints address=${late} err="connect: connection refused"`,
    );
    const chosen = { 'storeMatch[]': `{__address__="${early.grpc}"}`, partial_response: 'false' };
    expect(seenBy(await ask(querier, chosen))).toEqual(['a']);

    await startAgent('b', late);
    await sees(querier, 'a', 'b');
    expect((await ask(querier)).warnings).toBeUndefined();
  });

  it('resolves a name', async () => {
    const agent = await startAgent('a');
    const querier = await startQuerier(`dns+localhost:${agent.grpc.split(':')[1]}`);
    await sees(querier, 'a');
  });

  it('over a querier sees through it, and is told what that one misses', async () => {
    const [a, b] = [await startAgent('a'), await startAgent('b')];
    const lower = await startQuerier(a.grpc, b.grpc);
    await sees(lower, 'a', 'b');
    const upper = await startQuerier(lower.grpc);
    await sees(upper, 'a', 'b');
    await b.kill();
    await until(async () => (await ask(upper)).warnings !== undefined, 'it warns');
    const answer = await ask(upper);
    expect(seenBy(answer)).toEqual(['a']);
    expect(answer.warnings!.join('\n')).toContain(b.grpc);
  });

  it('over a querier whose endpoints were never up is told so', async () => {
    const down = `127.0.0.1:${await freePort()}`;
    const upper = await startQuerier((await startQuerier(down)).grpc);
    await until(async () => (await ask(upper)).warnings !== undefined, 'it warns');
    expect((await ask(upper)).warnings!.join('\n')).toContain(down);
  });
});
