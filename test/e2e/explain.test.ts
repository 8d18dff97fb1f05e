// What a querier tells of where it reads, with an endpoint that is not there.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, Processes, type Running, until } from './processes.ts';

// Port 1 is nobody's on a test host.
const GONE = '127.0.0.1:1';

const processes = new Processes();
let agent: Running;
let querier: Running;
beforeAll(async () => {
  const args = ['--data-dir', processes.folder(), '--collect-interval', '1s'];
  agent = await processes.start('agent', [...args, '--label', 'host=h1']);
  querier = await processes.start('query', ['--endpoint', agent.grpc, '--endpoint', GONE]);
  await until(async () => {
    const query = { query: 'count_over_time(node_load1{host="h1"}[1m]) > 2' };
    return (await api(querier.url, 'query', query)).data.result.length > 0;
  }, 'the querier has three collections');
});
afterAll(() => processes.cleanUp());

interface Explanation {
  readonly plan: {
    readonly seconds?: number;
    readonly children: readonly [{ readonly reads: Record<string, unknown> }];
  };
  readonly missing: readonly { readonly place: string; readonly reason: string }[];
}

async function explained(url: string, search: string): Promise<Explanation> {
  const answer = await fetch(`${url}/api/v1/query_explain?query=sum(node_load1)${search}`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { data: Explanation }).data;
}

describe('a query explained', () => {
  it('is read from the head of the agent', async () => {
    const { plan, missing } = await explained(agent.url, '');
    expect(missing).toEqual([]);
    expect(plan.children[0].reads).toMatchObject({ series: 1, places: [{ place: 'head' }] });
    // An instant selector takes the newest sample alone.
    expect(plan.children[0].reads['samples']).toBe(1);
    expect(plan.children[0].reads['bytes']).toBeGreaterThan(10);
    expect(plan.seconds).toBeGreaterThan(0);
  });

  it.each(['', '&analyze=false'])(
    'is read from the endpoint that is there, and names the other%s',
    async search => {
      const { plan, missing } = await explained(querier.url, search);
      expect(plan.children[0].reads).toMatchObject({
        series: 1,
        places: [{ place: `endpoint ${agent.grpc}` }],
      });
      expect(missing.map(({ place }) => place)).toEqual([`endpoint ${GONE}`]);
      expect(missing[0]!.reason).toContain('connection refused');
    },
  );
});

it('statistics of an answer name the part that is missing', async () => {
  const answer = await fetch(`${querier.url}/api/v1/query?query=node_load1&stats=true`);
  const { data } = (await answer.json()) as { data: { stats: { missing: { place: string }[] } } };
  expect(data.stats.missing.map(({ place }) => place)).toEqual([`endpoint ${GONE}`]);
});

it('federation and remote read are whole or an error, unless a part is enough', async () => {
  const page = `${querier.url}/federate?match[]=node_load1`;
  expect((await fetch(page)).status).toBe(503);
  const partial = await fetch(`${page}&partial_response=true`);
  expect(partial.status).toBe(200);
  const text = await partial.text();
  expect(text).toContain(`# warning: endpoint ${GONE}: `);
  expect(text).toMatch(/^node_load1\{host="h1",instance="[^"]+",job="node"\} /m);
});
