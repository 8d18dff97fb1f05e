// An agent that scrapes: reloading, targets in the API, secrets that are not shown, its own page as protobuf.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProtobufScanner } from '../../src/exposition/scan/protobuf-scanner.ts';
import { entriesOf } from '../fakes/exposition-bodies.ts';
import { TargetServer } from '../fakes/target-server.ts';
import { api, Processes, type Running, until } from './processes.ts';

const processes = new Processes();
let server: TargetServer;
let file: string;

beforeEach(async () => {
  server = await TargetServer.listen();
  file = join(processes.folder(), 'agent.yml');
});
afterEach(async () => {
  await processes.cleanUp();
  await server.close();
});

const job = (name: string, more = ''): string => `
  - job_name: ${name}
    basic_auth: {username: me, password: hush}
    static_configs: [{targets: ['${server.address}']}]
${more}`;

function write(...jobs: string[]): void {
  writeFileSync(
    file,
    `global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:${jobs.join('')}`,
  );
}

const start = (): Promise<Running> =>
  processes.start('agent', [
    ...['--no-plugins', '--config.file', file, '--data-dir', join(processes.folder(), 'data')],
    '--web.enable-lifecycle',
  ]);

async function hasSeries(url: string, query: string): Promise<boolean> {
  return (await api(url, 'query', { query })).data.result.length > 0;
}

const reload = async (url: string): Promise<[number, string]> => {
  const answer = await fetch(`${url}/-/reload`, { method: 'POST' });
  return [answer.status, await answer.text()];
};

describe('an agent', () => {
  test('starts what a reload brings, leaves the rest, and refuses what is wrong', async () => {
    write(job('one'));
    const agent = await start();
    await until(() => hasSeries(agent.url, 'a{job="one"}'), 'the first job');
    write(job('one'), job('two', '    metrics_path: /two\n'));
    expect(await reload(agent.url)).toEqual([
      200,
      expect.stringContaining('applied: scrape_configs'),
    ]);
    await until(() => hasSeries(agent.url, 'a{job="two"}'), 'the second job');
    expect(server.connections).toBeLessThanOrEqual(3);

    write(job('one'), job('one'));
    const [status, text] = await reload(agent.url);
    expect(status).not.toBe(200);
    expect(text).toContain(`${file}:7:5: there are two jobs with the name "one"`);
    const pools = await (await fetch(`${agent.url}/api/v1/scrape_pools`)).json();
    expect(pools).toMatchObject({ data: { scrapePools: expect.arrayContaining(['one', 'two']) } });
    expect(await agent.stop()).toBe(0);
  });

  test('sends secrets and does not show them', async () => {
    write(job('one'));
    const agent = await start();
    await until(() => hasSeries(agent.url, 'a{job="one"}'), 'the job');
    expect(server.asked[0]!.headers.authorization).toBe(`Basic ${btoa('me:hush')}`);
    const shown = await (await fetch(`${agent.url}/api/v1/status/config`)).text();
    expect(shown).toContain('<secret>');
    expect(shown).not.toContain('hush');
  });

  test('answers with its own metrics in protobuf', async () => {
    write(job('one'));
    const agent = await start();
    const Accept =
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
    const answer = await fetch(`${agent.url}/metrics`, { headers: { Accept } });
    expect(answer.headers.get('content-type')).toBe(
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    );
    const body = new Uint8Array(await answer.arrayBuffer());
    const entries = entriesOf(new ProtobufScanner(body, { native: true, classicToo: true }));
    expect(entries.filter(entry => entry.startsWith('agent_scrape_'))).not.toEqual([]);
  });
});
