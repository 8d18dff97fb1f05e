// What every plugin must do, whoever wrote it: the handshake, the calls, the end. Run it for each plugin.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ConnectOptions,
  connectPlugin,
  type PluginConnection,
} from '../../plugins/host/connection.ts';
import { addHostService } from '../../plugins/host/host-service.ts';
import { MemoryState } from '../../plugins/host/plugin-storage.ts';
import { SampleBatch } from '../../plugins/host/sample-batch-reader.ts';
import { newIdentity } from '../../plugins/sdk/certificate.ts';
import {
  COOKIE_KEY,
  COOKIE_VALUE,
  type Handshake,
  LIFELINE_KEY,
  parseHandshake,
} from '../../plugins/sdk/handshake.ts';
import { Labels, METRIC_NAME } from '../../src/labels/labels.ts';
import { labelsProblem } from '../../src/labels/validate.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { until } from '../fakes/until.ts';

/** How to start the plugin. */
export interface PluginCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** What is good to have and not asked of everybody. */
export interface PluginTraits {
  /** Ends when the one who started it is gone, as the SDK's do: by its lifeline, and by its parent. */
  readonly endsWithHost?: boolean;
  /** Asks the host that Configure names, at least to log a line. */
  readonly asksHost?: boolean;
}

const NOW = 1_700_000_000_000;

/** Runs the suite; `command` is called before each test. */
export function testPlugin(
  name: string,
  command: () => PluginCommand,
  { endsWithHost = true, asksHost = false }: PluginTraits = {},
): void {
  describe(`${name} as a plugin`, () => {
    let socketDir = '';
    let processes: Started[] = [];

    beforeEach(() => {
      socketDir = mkdtempSync(join(tmpdir(), 'outpost-plugin-'));
    });

    afterEach(async () => {
      for (const started of processes) await started.kill();
      processes = [];
      rmSync(socketDir, { recursive: true, force: true });
    });

    const start = (env: Record<string, string> = {}): Started => {
      const started = new Started(command(), {
        [COOKIE_KEY]: COOKIE_VALUE,
        PLUGIN_PROTOCOL_VERSIONS: '1',
        PLUGIN_UNIX_SOCKET_DIR: socketDir,
        ...env,
      });
      processes.push(started);
      return started;
    };

    it('tells somebody who starts it by hand what it is, and ends with code 1', async () => {
      const started = start({ [COOKIE_KEY]: 'something else' });
      expect(await started.exited).toEqual({ code: 1, signal: null });
      expect(started.stdout).toBe('');
      expect(started.stderr).toMatch(/plugin/i);
    });

    it('prints its handshake first, once it listens, with a socket where it was told to', async () => {
      const handshake = await start().handshake();
      expect(handshake).toMatchObject({ protocolVersion: 1, network: 'unix', certificate: '' });
      expect(handshake.address.startsWith(`${socketDir}/`)).toBe(true);
      expect(existsSync(handshake.address)).toBe(true);
    });

    it('answers a version of its own when it knows none of those offered', async () => {
      const started = start({ PLUGIN_PROTOCOL_VERSIONS: '98,99' });
      await until('a line', () => started.stdout.includes('\n'));
      expect(parseHandshake(started.stdout, [1])).toMatchObject({ protocolVersion: 1 });
    });

    it('serves health under the name "plugin"', async () => {
      const connection = await start().connect();
      expect(await connection.serves()).toBe(true);
    });

    it('describes itself, its collectors and their options', async () => {
      const connection = await start().connect();
      const description = await connection.describe();
      expect(description.name).not.toBe('');
      expect(description.version).not.toBe('');
      const names = description.collectors.map(collector => collector.name);
      expect(names.length).toBeGreaterThan(0);
      expect(new Set(names).size).toBe(names.length);
      for (const { name: collector, help, optionsSchema } of description.collectors) {
        expect(help, collector!).not.toBe('');
        expect(JSON.parse(optionsSchema!), collector!).toMatchObject({ type: 'object' });
      }
    });

    it('collects only after it was configured', async () => {
      const connection = await start().connect();
      await expect(connection.collect(NOW, 0, 5000)).rejects.toThrow('/Collect');
      expect(await connection.configure({})).toEqual([]);
      await expect(connection.collect(NOW, 0, 5000)).resolves.toBeInstanceOf(Uint8Array);
    });

    it('refuses a collector it does not have and options that are no JSON, and says where', async () => {
      const connection = await start().connect();
      const unknown = await connection.configure({ collectors: [{ name: 'no-such-thing' }] });
      expect(unknown.map(({ path }) => path)).toEqual(['collectors.no-such-thing']);
      const [known] = (await connection.describe()).collectors;
      const broken = await connection.configure({
        collectors: [{ name: known!.name!, options: '[1' }],
      });
      expect(broken.map(({ path }) => path)).toEqual([`collectors.${known!.name}.options`]);
      await expect(connection.collect(NOW, 0, 5000)).rejects.toThrow('/Collect');
    });

    it('keeps its configuration when it refuses another', async () => {
      const connection = await start().connect();
      await connection.configure({});
      const before = await collect(connection, 0);
      expect(await connection.configure({ collectors: [{ name: 'no-such-thing' }] })).toHaveLength(
        1,
      );
      const after = await collect(connection, before.definitionSeq);
      expect(after.idCount).toBeGreaterThan(0);
    });

    it('runs no collector that is switched off', async () => {
      const connection = await start().connect();
      const { collectors } = await connection.describe();
      const off = collectors.map(collector => ({ name: collector.name!, enabled: false }));
      expect(await connection.configure({ collectors: off })).toEqual([]);
      expect((await collect(connection, 0)).idCount).toBe(0);
    });

    it('defines every series before its samples, once, with labels that can be stored', async () => {
      const connection = await start().connect();
      await connection.configure({});
      const first = await collect(connection, 0);
      const collectors = (await connection.describe()).collectors.map(({ name: each }) => each);
      const families = new Map(first.families.map(family => [family.name, family]));
      const keys = new Set<string>();
      for (const { family, pairs } of first.series) {
        const labels = Labels.fromPairs(pairsOf(pairs)).with(METRIC_NAME, family);
        expect(labelsProblem(labels)).toBe(null);
        expect(collectors).toContain(families.get(family)!.collector);
        keys.add(labels.key);
      }
      expect(keys.size).toBe(first.series.length);
      expect(first.valueCount).toBe(first.idCount);
      const ids = [...first.ids.subarray(0, first.idCount)];
      expect(new Set(ids).size).toBe(ids.length);
      const defined = new Set(first.series.map(({ id }) => id));
      expect(ids.every(id => defined.has(id))).toBe(true);
      expect(Math.max(...ids)).toBeLessThan(4 * first.series.length + 1024);
    });

    it('sends definitions again to a peer that lost them, and not to one that has them', async () => {
      const connection = await start().connect();
      await connection.configure({});
      const first = await collect(connection, 0);
      const known = await collect(connection, first.definitionSeq);
      const forgot = await collect(connection, 0);
      expect(first.series.length).toBeGreaterThan(0);
      expect(known.series.length).toBeLessThan(first.series.length / 2);
      expect(forgot.series.length).toBeGreaterThanOrEqual(first.series.length);
      expect(known.definitionSeq).toBeGreaterThanOrEqual(first.definitionSeq);
      expect(forgot.definitionSeq).toBeGreaterThanOrEqual(known.definitionSeq);
    });

    it('answers a call for each collection as it answers one call for all', async () => {
      const started = start();
      const calls = await started.connect({ streams: false });
      await expect(calls.collect(NOW, 0, 5000)).rejects.toThrow('.Plugin/Collect:');
      await calls.configure({});
      const series = new Set((await collect(calls, 0)).series.map(({ id }) => id));
      const stream = await started.connect();
      for (let i = 0; i < 3; i++) {
        const again = await collect(stream, 0);
        expect(series.isSubsetOf(new Set(again.series.map(({ id }) => id)))).toBe(true);
      }
    });

    it('has counters that do not fall', async () => {
      const connection = await start().connect();
      await connection.configure({});
      const first = await collect(connection, 0);
      const second = await collect(connection, first.definitionSeq);
      const isCounter = new Map(
        first.families.map(({ name: each, type }) => [each, type === 'counter']),
      );
      const family = new Map(first.series.map(series => [series.id, series.family]));
      const later = new Map(
        [...second.ids.subarray(0, second.idCount)].map((id, i) => [id, second.values[i]!]),
      );
      for (let i = 0; i < first.idCount; i++) {
        const id = first.ids[i]!;
        if (!isCounter.get(family.get(id)!) || !later.has(id)) continue;
        expect(later.get(id)!, family.get(id)!).toBeGreaterThanOrEqual(first.values[i]!);
      }
    });

    it('outlives Ctrl-C in the host’s terminal', async () => {
      const started = start();
      const connection = await started.connect();
      started.child.kill('SIGINT');
      expect(await connection.serves()).toBe(true);
    });

    it('ends within two seconds when it is asked to, and takes its socket with it', async () => {
      const started = start();
      const connection = await started.connect();
      await connection.shutdown(2000);
      expect(await started.exitWithin(2000)).toEqual({ code: 0, signal: null });
      expect(readdirSync(socketDir)).toEqual([]);
    });

    it('speaks mutual TLS where it is offered, with whoever offered it and nobody else', async () => {
      const own = newIdentity({ now: Date.now(), fillRandom });
      const started = start({ PLUGIN_CLIENT_CERT: own.certificatePem });
      const handshake = await started.handshake();
      expect(handshake.certificate).not.toBe('');
      const connection = await started.connect({ identity: own });
      expect(await connection.serves()).toBe(true);
      await connection.configure({});
      expect((await collect(connection, 0)).valueCount).toBeGreaterThan(0);
      const stranger = newIdentity({ now: Date.now(), fillRandom });
      const wrong = await started.connect({ identity: stranger });
      await expect(wrong.describe()).rejects.toThrow('/Describe');
      const naked = started.connectTo({ ...handshake, certificate: '' });
      await expect(naked.describe()).rejects.toThrow('/Describe');
      expect(() => started.connectTo(handshake)).toThrow('although it was offered none');
    });

    it('is refused by a host that offers TLS and gets no certificate', async () => {
      const started = start();
      const identity = newIdentity({ now: Date.now(), fillRandom });
      await expect(started.connect({ identity })).rejects.toThrow('auto_mtls: false');
    });

    it('says before it is configured what a configuration is worth, where it can', async () => {
      const connection = await start().connect();
      const { features } = await connection.describe();
      if (features.includes('validate')) {
        expect(await connection.validate({})).toEqual([]);
        const wrong = await connection.validate({ collectors: [{ name: 'no-such-thing' }] });
        expect(wrong.map(({ path }) => path)).toEqual(['collectors.no-such-thing']);
      } else await expect(connection.validate({})).rejects.toThrow('/Validate');
      if (features.includes('probe')) {
        expect((await connection.probe({})).length).toBeGreaterThan(0);
      } else await expect(connection.probe({})).rejects.toThrow('/Probe');
      await expect(connection.collect(NOW, 0, 5000)).rejects.toThrow('/Collect');
    });

    it('takes garbage for an error and goes on', async () => {
      const started = start();
      const connection = await started.connect();
      const bytes = Buffer.from([0xff, 0xff, 0xff, 0x07, 0x12]);
      for (const method of ['Configure', 'Collect', 'Describe']) {
        await started.callRaw(method, bytes).catch(() => {});
      }
      expect(await connection.serves()).toBe(true);
      await connection.configure({});
      expect((await collect(connection, 0)).idCount).toBeGreaterThan(0);
    });

    it.skipIf(!asksHost)('finds its host through the broker, with TLS and without', async () => {
      for (const identity of [null, newIdentity({ now: Date.now(), fillRandom })]) {
        const started = start(identity ? { PLUGIN_CLIENT_CERT: identity.certificatePem } : {});
        const connection = await started.connect({ identity });
        const lines: string[] = [];
        await connection.serveHost(server =>
          addHostService(server, {
            query: async () => ({ samples: [], warnings: [] }),
            log: (_, message) => void lines.push(message),
            state: new MemoryState(),
          }),
        );
        expect(await connection.configure({})).toEqual([]);
        await until('a line of the plugin', () => lines.length > 0);
      }
    });

    it.skipIf(!endsWithHost)('ends when its host closes the lifeline', async () => {
      const started = start({ [LIFELINE_KEY]: 'stdin' });
      await started.handshake();
      started.child.stdin!.end();
      expect(await started.exitWithin(2000)).toEqual({ code: 0, signal: null });
    });

    it('lives on without stdin where no lifeline was promised', async () => {
      const started = start();
      const connection = await started.connect();
      started.child.stdin!.end();
      await connection.configure({});
      expect((await collect(connection, 0)).idCount).toBeGreaterThan(0);
    });

    it.skipIf(!endsWithHost)('ends when its host is killed', async () => {
      // A shell between the test and the plugin plays the host.
      const { command: executable, args } = command();
      const host = new Started(
        { command: 'sh', args: ['-c', '"$@" & wait', 'sh', executable, ...args] },
        {
          [COOKIE_KEY]: COOKIE_VALUE,
          PLUGIN_PROTOCOL_VERSIONS: '1',
          PLUGIN_UNIX_SOCKET_DIR: socketDir,
        },
      );
      processes.push(host);
      const { address } = await host.handshake();
      host.child.kill('SIGKILL');
      await until('the plugin ended and removed its socket', () => !existsSync(address));
    });
  });
}

const fillRandom = (bytes: Uint8Array): void => void randomFillSync(bytes);

async function collect(connection: PluginConnection, definitionSeq: number): Promise<SampleBatch> {
  const batch = new SampleBatch();
  batch.decode(await connection.collect(NOW, definitionSeq, 5000));
  return batch;
}

function* pairsOf(pairs: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < pairs.length; i += 2) yield [pairs[i]!, pairs[i + 1]!];
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A plugin process under test. */
class Started {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';
  #ended = false;
  readonly #connections: PluginConnection[] = [];

  constructor({ command, args }: PluginCommand, env: Record<string, string>) {
    this.child = spawn(command, args, { env: { PATH: '/usr/bin:/bin', ...env } });
    this.child.stdout!.on('data', chunk => {
      this.stdout += chunk;
    });
    this.child.stderr!.on('data', chunk => {
      this.stderr += chunk;
    });
    this.exited = new Promise(resolve => {
      this.child.once('close', (code, signal) => {
        this.#ended = true;
        resolve({ code, signal });
      });
    });
  }

  async handshake(): Promise<Handshake> {
    await until('a handshake', () => this.stdout.includes('\n') || this.#ended);
    const found = parseHandshake(this.stdout.slice(0, this.stdout.indexOf('\n')), [1]);
    if (found === null || 'problem' in found) {
      throw new Error(`no handshake: ${this.stdout}${this.stderr}`);
    }
    return found;
  }

  async connect(options: ConnectOptions = {}): Promise<PluginConnection> {
    return this.connectTo(await this.handshake(), options);
  }

  connectTo(handshake: Handshake, options: ConnectOptions = {}): PluginConnection {
    const connection = connectPlugin(handshake, systemClock, options);
    this.#connections.push(connection);
    return connection;
  }

  /** Calls a method of the plugin's service with any bytes. */
  async callRaw(method: string, request: Buffer): Promise<void> {
    const { address } = await this.handshake();
    const client = new Client(`unix:${address}`, credentials.createInsecure());
    const same = (bytes: Buffer): Buffer => bytes;
    const path = `/outpost.plugin.v1.Plugin/${method}`;
    await new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(path, same, same, request, error =>
        error ? reject(error) : resolve(),
      );
    }).finally(() => client.close());
  }

  async exitWithin(ms: number): Promise<Exit> {
    await until('the plugin ended', () => this.#ended, ms);
    return this.exited;
  }

  async kill(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    if (this.#ended) return;
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
