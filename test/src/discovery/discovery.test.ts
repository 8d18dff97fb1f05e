// Targets from files, endpoints and DNS: what is published, what stays while finding fails.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Discoverer, TargetGroup } from '../../../src/discovery/discoverer.ts';
import { type DnsResolver, dnsDiscoverer } from '../../../src/discovery/dns-discovery.ts';
import { fileDiscoverer } from '../../../src/discovery/file-discovery.ts';
import { parseGroups } from '../../../src/discovery/group-text.ts';
import { httpDiscoverer } from '../../../src/discovery/http-discovery.ts';
import { listenerDiscoverer, listenersOf } from '../../../src/discovery/listener-discovery.ts';
import { DiscoveryMetrics } from '../../../src/discovery/metrics.ts';
import { HTTP_CLIENT_DEFAULTS } from '../../../src/http-client/options.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { corpusFolder } from '../../fakes/corpora.ts';
import { TargetServer } from '../../fakes/target-server.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { until } from '../../fakes/until.ts';

let clock: ManualClock;
let stop: AbortController;
let registry: Registry;
let running: Promise<void>;
/** By source, without those that are gone. */
let groups: Map<string, TargetGroup>;
let published: number;

beforeEach(() => {
  clock = new ManualClock();
  stop = new AbortController();
  registry = new Registry();
  running = Promise.resolve();
  groups = new Map();
  published = 0;
});

afterEach(async () => {
  stop.abort();
  await running;
});

const context = () => ({
  clock,
  logger: silentLogger,
  metrics: new DiscoveryMetrics(registry),
  userAgent: 'outpost/test',
});

function run(discoverer: Discoverer): void {
  running = discoverer.run(stop.signal, changed => {
    published++;
    for (const group of changed) {
      if (group.targets.length > 0) groups.set(group.source, group);
      else groups.delete(group.source);
    }
  });
}

/** The condition, looked at after time has moved. */
const later = (ms: number, condition: () => boolean) => (): boolean => {
  clock.advance(ms);
  return condition();
};

const addresses = (): string[] =>
  [...groups.values()].flatMap(({ targets }) => targets.map(one => one['__address__']!)).sort();

describe('files', () => {
  test('are read, watched, and let go when they are gone', async () => {
    const directory = temporaryDirectory();
    const [yaml, json] = [join(directory, 'a.yml'), join(directory, 'b.json')];
    writeFileSync(yaml, '- targets: [h:1, h:2]\n  labels: {zone: a}\n- targets: [h:3]\n');
    const files = [join(directory, '*.yml'), join(directory, 'b.json')];
    run(fileDiscoverer({ kind: 'file', files, refreshMs: 60_000 }, context()));
    await until('targets', () => published > 0);
    expect(addresses()).toEqual(['h:1', 'h:2', 'h:3']);
    expect(groups.get(`${yaml}:0`)?.labels).toEqual({ zone: 'a', __meta_filepath: yaml });

    writeFileSync(json, '[{"targets": ["h:4"]}]');
    await until(
      'the new file',
      later(100, () => addresses().includes('h:4')),
    );
    writeFileSync(yaml, '- targets: [h:1');
    await until(
      'the mistake',
      later(100, () => failures('file') > 0),
    );
    expect(addresses()).toEqual(['h:1', 'h:2', 'h:3', 'h:4']);
    rmSync(yaml);
    await until(
      'one file less',
      later(100, () => addresses().length === 1),
    );
    expect(addresses()).toEqual(['h:4']);
  });

  test('are found at a refresh where nothing could be watched', async () => {
    const directory = join(temporaryDirectory(), 'later');
    const file = join(directory, 'a.json');
    run(fileDiscoverer({ kind: 'file', files: [file], refreshMs: 60_000 }, context()));
    await until('a first answer', () => published === 1);
    expect(addresses()).toEqual([]);
    mkdirSync(directory);
    writeFileSync(file, '[{"targets": ["h:1"]}]');
    clock.advance(60_000);
    await until('the file', () => addresses().length === 1);
  });
});

describe('endpoints', () => {
  let server: TargetServer;
  beforeEach(async () => {
    server = await TargetServer.listen();
  });
  afterEach(() => server.close());

  test('are asked again and again; what they said last stays while they fail', async () => {
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    server.answer = () => ({ headers, body: '[{"targets":["h:1"],"labels":{"a":"b"}}]' });
    const url = `${server.url}/sd`;
    run(
      httpDiscoverer(
        { kind: 'http', url, refreshMs: 30_000, http: HTTP_CLIENT_DEFAULTS },
        context(),
      ),
    );
    await until('targets', () => addresses().length === 1);
    expect(groups.get(`${url}:0`)?.labels).toEqual({ a: 'b', __meta_url: url });
    expect(server.asked[0]!.headers).toMatchObject({
      accept: 'application/json',
      'x-prometheus-refresh-interval-seconds': '30',
    });
    for (const answer of [{ status: 500 }, { body: '[]' }, { headers, body: '{' }]) {
      server.answer = () => answer;
      const before = failures('http');
      clock.advance(30_000);
      await until('a failure', () => failures('http') > before);
    }
    expect([addresses(), published]).toEqual([['h:1'], 1]);
    server.answer = () => ({ headers, body: '[]' });
    clock.advance(30_000);
    await until('none', () => addresses().length === 0);
  });
});

describe('DNS', () => {
  const resolver = (changes: Partial<DnsResolver>): DnsResolver => ({
    resolve4: async () => ['10.0.0.1', '10.0.0.2'],
    resolve6: async () => ['::1'],
    resolveSrv: async () => [{ name: 'h.example', port: 9 }],
    resolveMx: async () => [{ exchange: 'm.example' }],
    resolveNs: async () => ['n.example'],
    ...changes,
  });
  const config = { kind: 'dns', names: ['x'], port: 80, refreshMs: 30_000 } as const;

  test.each([
    ['A', ['10.0.0.1:80', '10.0.0.2:80'], {}],
    ['AAAA', ['[::1]:80'], {}],
    [
      'SRV',
      ['h.example:9'],
      { __meta_dns_srv_record_target: 'h.example.', __meta_dns_srv_record_port: '9' },
    ],
    ['MX', ['m.example:80'], { __meta_dns_mx_record_target: 'm.example.' }],
    ['NS', ['n.example:80'], { __meta_dns_ns_record_target: 'n.example.' }],
  ] as const)('has targets in records of type %s', async (type, expected, labels) => {
    run(dnsDiscoverer({ ...config, type }, context(), resolver({})));
    await until('targets', () => addresses().length > 0);
    expect(addresses()).toEqual(expected);
    expect(groups.get('x')!.targets[0]).toMatchObject({ __meta_dns_name: 'x', ...labels });
  });

  test('keeps targets while it fails, and drops them when it says that there are none', async () => {
    let code = '';
    const resolve4 = async (): Promise<string[]> => {
      if (code !== '') throw Object.assign(new Error('query failed'), { code });
      return ['10.0.0.1'];
    };
    run(dnsDiscoverer({ ...config, type: 'A' }, context(), resolver({ resolve4 })));
    await until('targets', () => addresses().length === 1);
    code = 'ETIMEOUT';
    clock.advance(30_000);
    await until('a failure', () => failures('dns') === 1);
    expect(addresses()).toEqual(['10.0.0.1:80']);
    code = 'ENOTFOUND';
    await until(
      'none',
      later(30_000, () => addresses().length === 0),
    );
  });
});

describe('listeners', () => {
  const row = (address: string, port: number, state = '0A'): string => {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return `   0: ${address}:${hex} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 0 0 1`;
  };
  const head = '  sl  local_address rem_address   st';

  test('are those on loopback and on every address', () => {
    const rows = [
      row('0100007F', 9100),
      row('00000000', 80),
      row('0200000A', 81),
      row('0100007F', 82, '01'),
      row('00000000000000000000000001000000', 83),
      row('0'.repeat(32), 84),
    ];
    expect(listenersOf([head, ...rows, ''].join('\n'))).toEqual([
      { host: '127.0.0.1', port: 9100 },
      { host: '127.0.0.1', port: 80 },
      { host: '[::1]', port: 83 },
      { host: '127.0.0.1', port: 84 },
    ]);
  });

  test('are targets where they answer with metrics; others are asked again, but seldom', async () => {
    const servers = [await TargetServer.listen(), await TargetServer.listen()];
    servers[1]!.answer = () => ({ headers: { 'Content-Type': 'text/html' }, body: 'hello' });
    const ports = servers.map(({ address }) => Number(address.split(':')[1]));
    const table = join(temporaryDirectory(), 'tcp');
    const listen = (...open: number[]): void =>
      writeFileSync(table, [head, ...open.map(port => row('0100007F', port))].join('\n'));
    listen(...ports, 1, 2);
    const config = { ports: [[2, 65_535] as const], except: [], path: '/m', refreshMs: 60_000 };
    run(listenerDiscoverer({ kind: 'listeners', tables: [table], ...config }, context()));
    await until('the target', () => addresses().length === 1);
    expect(addresses()).toEqual([servers[0]!.address]);
    expect(groups.get(servers[0]!.address)!.labels).toEqual({
      __metrics_path__: '/m',
      __meta_listener_port: String(ports[0]),
    });
    listen(ports[1]!);
    await until(
      'it is gone',
      later(60_000, () => addresses().length === 0),
    );
    expect(servers.map(({ asked }) => asked.length)).toEqual([1, 1]);
    servers[1]!.answer = () => ({ body: 'a 1\n' });
    await until(
      'the other has been asked again',
      later(60_000, () => addresses().length === 1),
    );
    expect(servers.map(({ asked }) => asked.length)).toEqual([1, 2]);
    for (const server of servers) await server.close();
  });
});

describe('a text with groups', () => {
  const read = (text: string) => parseGroups(text, { format: 'yaml', source: 's', labels: {} });

  test.each([
    ['{}', 'it is no list of groups'],
    ['[null]', 'group 0 is not an object with targets'],
    ['- target: [a]', 'group 0 has the unknown key "target"'],
    ['- targets: [1]', 'the targets of group 0 are no list of texts'],
    ['- {targets: [a], labels: {b: {}}}', '"b" is not a text'],
    ['- targets: [', 'read targets of s: '],
  ])('%j is refused', (text, reason) => {
    expect(() => read(text)).toThrow(reason);
  });

  const fixtures = corpusFolder('sd-fixtures');
  test.skipIf(fixtures === null)('is what Prometheus takes for one', () => {
    const files = readdirSync(fixtures!, { recursive: true })
      .map(String)
      .filter(name => /\.(json|ya?ml)$/.test(name));
    expect(files.length).toBeGreaterThanOrEqual(7);
    for (const file of files) {
      const text = readFileSync(`${fixtures}${file}`, 'utf8');
      const format = file.endsWith('.json') ? 'json' : 'yaml';
      const parse = (): unknown => parseGroups(text, { format, source: file, labels: {} });
      if (basename(file).includes('invalid')) expect(parse, file).toThrow();
      else expect(parse, file).not.toThrow();
    }
  });
});

function failures(mechanism: string): number {
  const family = registry.gather().find(({ name }) => name === 'agent_discovery_failures_total');
  return family?.samples.find(({ labels }) => labels.get('mechanism') === mechanism)?.value ?? 0;
}
