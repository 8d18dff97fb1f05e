// The command line as a newcomer meets it: help on one screen, and every mistake answered with one sentence,
// exit code 2 where the usage was wrong and 1 where the host is, and never with a stack.

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Ended, FREE_PORTS, outpost, Processes, until } from './processes.ts';

const processes = new Processes();
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await processes.cleanUp();
});

/** The one line that is said besides the pointer to the help. */
function sentence({ stdout, stderr }: Ended): string {
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^\s+at /m);
  const lines = stderr.trim().split('\n');
  return lines.filter(line => line !== '(--help lists what there is)').join('\n');
}

/** Runs commands a few at a time; each takes a fifth of a second. */
async function each<Case>(cases: readonly Case[], check: (one: Case) => Promise<void>) {
  for (let at = 0; at < cases.length; at += 4)
    await Promise.all(cases.slice(at, at + 4).map(check));
}

async function takenPort(): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('help', () => {
  it('fits 80 columns for each mode, with each default once and as a user writes it', async () => {
    await each(['agent', 'query', 'up'], async mode => {
      const { code, stdout, stderr } = await outpost(mode, '--help');
      expect([code, stderr]).toEqual([0, '']);
      expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
      const text = stdout.replace(/\s+/g, ' ');
      expect(text).toContain('longest time a query may take (default 2m)');
      expect(text).toContain('debug, info, warn, error (default info)');
      expect(text).toMatch(/HTTP address \(default 127\.0\.0\.1:(9190|10902)\)/);
      expect(text.match(/\(default [^)]*\) \(default/g)).toBeNull();
      expect(text).not.toMatch(/undefined|\{"|\[object/);
    });
  });

  it('is what no arguments get, as wrong usage', async () => {
    const { code, stderr } = await outpost();
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: outpost [options] [command]');
    for (const mode of ['up', 'agent', 'query', 'tools']) expect(stderr).toContain(`\n  ${mode} `);
  });

  it('has the version', async () => {
    expect(await outpost('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });
});

describe('wrong usage', () => {
  it('is answered with what was expected, exit code 2', async () => {
    const duration = 'Expected a duration such as 15s, 5m or 1h30m.';
    const cases: readonly (readonly [args: string, said: string])[] = [
      ['agnt', "unknown command 'agnt'\n(Did you mean agent?)"],
      ['agent extra', "too many arguments for 'agent'. Expected 0 arguments but got 1: extra."],
      ['agent --colect-interval 5s', '(Did you mean --collect-interval?)'],
      ['agent --data-dir', "option '--data-dir <path>' argument missing"],
      ['agent --collect-interval 5x', `argument '5x' is invalid. ${duration}`],
      ['agent --collect-interval 1ms', 'Expected a duration of 100ms or more, such as 15s.'],
      ['agent --query.timeout 0', 'Expected a duration longer than zero.'],
      ['agent --storage.retention.size 5', 'Expected a size such as 512MB or 10GB.'],
      ['agent --http-address foo', 'Expected host:port such as 127.0.0.1:9190.'],
      ['agent --http-address 127.0.0.1:65536', 'Expected host:port such as 127.0.0.1:9190.'],
      ['agent --label a-b=c', 'Expected name=value such as cluster=eu1'],
      ['agent --label __name__=c', 'Expected name=value such as cluster=eu1'],
      ['agent --label a=', 'Expected name=value such as cluster=eu1'],
      ['agent --query.max-samples 0', 'Expected a whole number of 1 or more.'],
      ['agent --query.max-concurrency 1e3', 'Expected a whole number of 1 or more.'],
      ['agent --query.max-samples 99999999999999999999', 'Expected a whole number of 1 or more.'],
      ['agent --log.level trace', 'Allowed choices are debug, info, warn, error.'],
      ['agent --web.cors.origin (', 'Expected a regular expression'],
      ['query --endpoint foo', 'host:port, unix:/path or dns+host:port is expected, this is "foo"'],
      ['query --endpoint http://a:1', 'is expected, this is "http://a:1"'],
    ];
    await each(cases, async ([args, said]) => {
      const ended = await outpost(...args.split(' '));
      expect([args, ended.code]).toEqual([args, 2]);
      expect(sentence(ended)).toContain(said);
      expect(sentence(ended)).toMatch(/^outpost/);
    });
  });
});

describe('a configuration file', () => {
  it('that is wrong is answered with file, line and column, exit code 2', async () => {
    const folder = processes.folder();
    const cases: readonly (readonly [text: string, said: string])[] = [
      ['global: [\n', ':2:1: Flow sequence'],
      [
        'global:\n  colect_interval: 5s\n',
        ':2:3: unknown key "global.colect_interval"; did you mean "collect_interval"?',
      ],
      [
        'global:\n  collect_interval: 5\n',
        ':2:3: "global.collect_interval" is 5; expected a value such as 15s or 1h30m',
      ],
      ['global:\n  collect_interval: 1ms\n', 'global.collect_interval is 1ms; it must be 100ms or'],
      [
        'global:\n  external_labels:\n    a-b: c\n',
        ':3:5: "a-b" cannot be a name here; an example is cluster: eu1',
      ],
      [
        'plugins:\n  hardware:\n    collectors:\n      hwmom: {}\n',
        ':4:7: plugins.hardware.collectors.hwmom is not a collector of plugin hardware; it has: cpufreq, ',
      ],
      [
        'plugins:\n  os:\n    collectors:\n      cpu: {options: {guest: 1}}\n',
        ':4:23: plugins.os.collectors.cpu.options.guest must be true or false',
      ],
      ['plugins:\n  osx: {}\n', 'plugins.osx needs a command; built in and without one are: os'],
    ];
    await each(cases, async ([text, said]) => {
      const path = join(folder, `${cases.findIndex(one => one[0] === text)}.yml`);
      writeFileSync(path, text);
      const ended = await outpost('agent', '--config.file', path);
      expect([text, ended.code]).toEqual([text, 2]);
      expect(sentence(ended)).toContain(said);
      if (said.startsWith(':')) expect(sentence(ended)).toContain(`outpost agent: ${path}:`);
    });
  });

  it('that cannot be read is named', async () => {
    const folder = processes.folder();
    const none = await outpost('query', '--config.file', `${folder}/none.yml`);
    expect([none.code, sentence(none)]).toEqual([
      2,
      `outpost query: read configuration ${folder}/none.yml: no such file or directory`,
    ]);
    const directory = await outpost('agent', '--config.file', folder);
    expect(sentence(directory)).toBe(
      `outpost agent: read configuration ${folder}: it is a directory`,
    );
  });

  it('is overruled by flags, and both are on the status page as a user writes them', async () => {
    const folder = processes.folder();
    const path = join(folder, 'agent.yml');
    writeFileSync(
      path,
      'global:\n  collect_interval: 5s\n  external_labels: {cluster: file, replica: a}\n',
    );
    const agent = await processes.start('agent', [
      ...['--config.file', path, '--data-dir', join(folder, 'data'), '--no-plugins'],
      ...['--collect-interval', '90s', '--label', 'cluster=flag'],
    ]);
    const page = async (name: string): Promise<{ data: Record<string, string> }> =>
      (await (await fetch(`${agent.url}/api/v1/status/${name}`)).json()) as never;
    expect((await page('flags')).data).toMatchObject({
      'collect-interval': '1m30s',
      'query.timeout': '2m',
      'storage.retention.time': '15d',
      label: 'cluster=flag',
      'no-plugins': 'true',
      'no-self-metrics': 'false',
    });
    expect((await page('config')).data['yaml']).toContain('collect_interval: 5s\n');
    const query = await processes.start('query', ['--endpoint', agent.grpc]);
    await until(async () => {
      const stores = await (await fetch(`${query.url}/api/v1/stores`)).text();
      return stores.includes('"labelSets":[{"cluster":"flag","replica":"a"}]');
    }, 'the querier has heard the labels');
  });
});

describe('an address or a directory that cannot be had', () => {
  it('is named with the flag that chooses another, exit code 1', async () => {
    const port = await takenPort();
    const taken = `127.0.0.1:${port}`;
    const free = '127.0.0.1:0';
    const dir = (): string => processes.folder();
    const inUse = (what: string, flag: string): string =>
      `listen for ${what} on ${taken}: the address is already in use; choose another address with ${flag}`;
    const up = ['--query-http-address', free, '--query-grpc-address', free, '--no-plugins'];
    const cases: readonly (readonly [args: readonly string[], said: string])[] = [
      [['agent', ...FREE_PORTS, '--http-address', taken], inUse('HTTP', '--http-address')],
      [['agent', ...FREE_PORTS, '--grpc-address', taken], inUse('gRPC', '--grpc-address')],
      [
        ['query', ...FREE_PORTS, '--endpoint', 'a:1', '--http-address', taken],
        inUse('HTTP', '--http-address'),
      ],
      [
        ['query', ...FREE_PORTS, '--endpoint', 'a:1', '--grpc-address', taken],
        inUse('gRPC', '--grpc-address'),
      ],
      [
        ['up', ...FREE_PORTS, ...up, '--query-http-address', taken],
        inUse('HTTP', '--query-http-address'),
      ],
      [
        ['up', ...FREE_PORTS, ...up, '--query-grpc-address', taken],
        inUse('gRPC', '--query-grpc-address'),
      ],
    ];
    await each(cases, async ([[mode = '', ...args], said]) => {
      const data = mode === 'query' ? [] : ['--data-dir', dir()];
      const ended = await outpost(mode, ...args, ...data, '--log.level', 'error');
      expect([ended.code, sentence(ended)]).toEqual([1, `outpost ${mode}: ${said}`]);
    });
  });

  it('is named when another agent has it, with the pid', async () => {
    const folder = processes.folder();
    const agent = await processes.start('agent', ['--data-dir', folder, '--no-plugins']);
    const second = await outpost('agent', ...FREE_PORTS, '--data-dir', folder);
    expect([second.code, sentence(second)]).toEqual([
      1,
      `outpost agent: open data directory ${folder}: process ${agent.child.pid} is using it; stop it or choose another directory`,
    ]);
  });

  it('is named when it is no directory', async () => {
    const file = join(processes.folder(), 'file');
    writeFileSync(file, '');
    const ended = await outpost('agent', ...FREE_PORTS, '--data-dir', file);
    expect([ended.code, sentence(ended)]).toEqual([
      1,
      `outpost agent: open data directory ${file}: it is a file`,
    ]);
  });
});

describe('an address that others can reach', () => {
  it('is warned of, with the flag that closes it', async () => {
    const args = ['--http-address', '0.0.0.0:0', '--data-dir', processes.folder(), '--no-plugins'];
    const agent = await processes.start('agent', args);
    expect(agent.stderr()).toContain(
      'level=warn msg="listening beyond this host without TLS or authentication; use --http-address 127.0.0.1:0 and put a proxy in front" address=0.0.0.0:0',
    );
    expect(agent.stderr().match(/level=warn/g)).toHaveLength(1);
  });
});
