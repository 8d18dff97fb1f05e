// `outpost tools parity` as a process, between an agent and an exporter that are none.

import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TOOL_MAIN } from '../fakes/tool-process.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers each request with the next of the texts, the last one again and again. */
async function serve(...texts: string[]): Promise<string> {
  let asked = 0;
  const server = createServer((_, response) => {
    response.end(texts[Math.min(asked++, texts.length - 1)]);
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

function parity(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [TOOL_MAIN, 'tools', 'parity', '--wait', '0.1', ...args],
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

const counter = (value: number): string => `# TYPE node_a_total counter\nnode_a_total ${value}\n`;

describe('outpost tools parity', { timeout: 60_000 }, () => {
  it('ends with 0 where every family is there, and reads the agent around the exporter', async () => {
    const agent = await serve(counter(1), counter(3));
    const exporter = await serve(counter(2));
    const { code, stdout, stderr } = await parity('--agent', agent, '--exporter', exporter);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^all +1 +1 +1 +1 +1$/m);
  });

  it('ends with 1 and names what is missing', async () => {
    const agent = await serve('# TYPE node_b gauge\nnode_b 1\n');
    const exporter = await serve(counter(2));
    const { code, stdout } = await parity(
      '--agent',
      agent,
      '--exporter',
      exporter,
      '--differences',
    );
    expect(code).toBe(1);
    expect(stdout).toContain('node_a_total: the agent has none\n');
    expect(stdout).toContain('1 families of the agent are not there\n');
  });

  it('says who does not answer, and which flag is wrong', async () => {
    const agent = await serve(counter(1));
    const nobody = await parity('--agent', agent, '--exporter', 'http://127.0.0.1:1/metrics');
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toMatch(/^outpost tools parity: read http:\/\/127\.0\.0\.1:1\/metrics: /);
    const wrong = await parity('--drift', 'much');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      'outpost tools parity: --drift must be a number of at least 0, not much\n',
    ]);
  });
});
