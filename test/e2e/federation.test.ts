// Two agents and a querier, as real processes: one view, no gap when one dies, nothing acknowledged lost.

import { afterEach, describe, expect, it } from 'vitest';
import { api, Processes, type Running, until } from './processes.ts';
import { remoteWrite } from './remote-write.ts';

const processes = new Processes();
afterEach(() => processes.cleanUp());

const receiving = ['--web.enable-remote-write-receiver', '--no-plugins', '--no-self-metrics'];
const STEP_MS = 1000;

async function startPair(): Promise<{ a: Running; b: Running; query: Running; folderA: string }> {
  const folderA = processes.folder();
  const a = await processes.start('agent', [
    '--data-dir',
    folderA,
    '--label',
    'cluster=test',
    '--label',
    'replica=a',
    ...receiving,
  ]);
  const b = await processes.start('agent', [
    '--data-dir',
    processes.folder(),
    '--label',
    'cluster=test',
    '--label',
    'replica=b',
    ...receiving,
  ]);
  const query = await processes.start('query', [
    '--endpoint',
    a.grpc,
    '--endpoint',
    b.grpc,
    '--query.replica-label',
    'replica',
  ]);
  await until(async () => {
    const stores = await (await fetch(`${query.url}/api/v1/stores`)).text();
    return stores.includes(a.grpc) && stores.includes(b.grpc);
  }, 'the querier knows both agents');
  return { a, b, query, folderA };
}

/** Samples of one counter, one a step: what two collectors of the same host would write. */
function counter(
  from: number,
  count: number,
): { labels: Record<string, string>; samples: [number, number][] } {
  return {
    labels: { __name__: 'requests_total', job: 'e2e' },
    samples: Array.from({ length: count }, (_, i) => [
      from + i * STEP_MS,
      (from / STEP_MS + i) % 1e6,
    ]),
  };
}

describe('two agents and a querier', () => {
  it('are one series instead of two, unless deduplication is off', async () => {
    const { a, b, query } = await startPair();
    const now = Math.floor(Date.now() / STEP_MS) * STEP_MS;
    for (const agent of [a, b])
      expect(await remoteWrite(agent.url, [counter(now - 60_000, 61)])).toBe(204);

    const merged = await api(query.url, 'query', { query: 'requests_total', time: now / 1000 });
    expect(merged.warnings).toBeUndefined();
    expect(merged.data.result.map(r => r.metric)).toEqual([
      { __name__: 'requests_total', cluster: 'test', job: 'e2e' },
    ]);

    const apart = await api(query.url, 'query', {
      query: 'requests_total',
      time: now / 1000,
      dedup: 'false',
    });
    expect(apart.data.result.map(r => r.metric['replica']).sort()).toEqual(['a', 'b']);
  });

  it('leave no gap and a warning when one is killed within the window of a range query', async () => {
    const { a, b, query } = await startPair();
    const now = Math.floor(Date.now() / STEP_MS) * STEP_MS;
    const start = now - 60_000;
    // Both have the first half; a dies; only b has the second half.
    for (const agent of [a, b]) await remoteWrite(agent.url, [counter(start, 30)]);
    await a.kill();
    await remoteWrite(b.url, [counter(start + 30 * STEP_MS, 31)]);

    const answer = await api(query.url, 'query_range', {
      query: 'requests_total',
      start: start / 1000,
      end: now / 1000,
      step: 1,
    });
    expect(answer.data.result).toHaveLength(1);
    expect(answer.data.result[0]!.values!.map(([t]) => t)).toEqual(
      Array.from({ length: 61 }, (_, i) => start / 1000 + i),
    );
    expect(answer.warnings?.join('\n')).toContain(a.grpc);

    const strict = await api(query.url, 'query', {
      query: 'requests_total',
      time: now / 1000,
      partial_response: 'false',
    });
    expect(strict.status).toBe('error');
    expect(strict.error).toContain(a.grpc);
  });

  it('lose no acknowledged sample when one is killed while it writes', async () => {
    const { a, query, folderA } = await startPair();
    const start = Math.floor(Date.now() / STEP_MS) * STEP_MS - 600_000;
    let acknowledged = 0;
    let failed = false;
    const writing = (async () => {
      while (!failed && acknowledged < 500) {
        const status = await remoteWrite(a.url, [counter(start + acknowledged * STEP_MS, 1)]).catch(
          () => 0,
        );
        if (status === 204) acknowledged++;
        else failed = true;
      }
    })();
    await until(async () => acknowledged >= 40, 'forty samples are acknowledged');
    await a.kill();
    await writing;

    const again = await processes.start('agent', [
      '--data-dir',
      folderA,
      '--label',
      'replica=a',
      ...receiving,
    ]);
    const answer = await api(again.url, 'query', {
      query: `requests_total[10m]`,
      time: (start + 599_000) / 1000,
    });
    const times = answer.data.result[0]!.values!.map(([t]) => t);
    expect(times.slice(0, acknowledged)).toEqual(
      Array.from({ length: acknowledged }, (_, i) => start / 1000 + i),
    );
    // What was on its way when the process died may have been written too, and nothing else.
    expect(times.length).toBeLessThanOrEqual(acknowledged + 1);
    expect(await query.stop()).toBe(0);
  });
});
