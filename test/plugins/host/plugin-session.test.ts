// What goes on with a plugin beside collections, with a real process: events that are kept and resumed,
// inventory, functions, captures, output, and the host's own services.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectPlugin, type PluginConnection } from '../../../plugins/host/connection.ts';
import { addHostService } from '../../../plugins/host/host-service.ts';
import { callFunction, captureBlobs } from '../../../plugins/host/plugin-calls.ts';
import { PluginSession } from '../../../plugins/host/plugin-session.ts';
import { FileStorage, MemoryState } from '../../../plugins/host/plugin-storage.ts';
import type { ReceivedEvent } from '../../../plugins/host/received-event.ts';
import { SeriesIntake } from '../../../plugins/host/series-intake.ts';
import { COOKIE_KEY, COOKIE_VALUE, parseHandshake } from '../../../plugins/sdk/handshake.ts';
import { outpost } from '../../../proto/gen/outpost.plugin.v1.js';
import { ManualClock, systemClock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { RecordingSink } from '../../fakes/recording-sink.ts';
import { until } from '../../fakes/until.ts';

const FEATURED = fileURLToPath(new URL('plugins/featured.ts', import.meta.url));

let dir = '';
let started: { child: ChildProcess; connection: PluginConnection }[] = [];
let stop = new AbortController();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpost-session-'));
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  for (const { child, connection } of started) {
    connection.close();
    child.kill('SIGKILL');
  }
  started = [];
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<PluginConnection> {
  const env = { [COOKIE_KEY]: COOKIE_VALUE, PLUGIN_UNIX_SOCKET_DIR: dir };
  const child = spawn(process.execPath, [FEATURED], { env });
  let stdout = '';
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  await until('a handshake', () => stdout.includes('\n'));
  const handshake = parseHandshake(stdout.split('\n')[0]!, [1]);
  if (handshake === null || 'problem' in handshake) throw new Error(`no handshake: ${stdout}`);
  const connection = connectPlugin(handshake, systemClock);
  started.push({ child, connection });
  return connection;
}

async function session(
  connection: PluginConnection,
  {
    append,
    cursors = new MemoryState(),
  }: {
    append: (events: readonly ReceivedEvent[]) => Promise<void>;
    cursors?: MemoryState;
  },
) {
  const lines: string[] = [];
  const made = new PluginSession({
    plugin: 'featured',
    connection,
    description: await connection.describe(),
    clock: systemClock,
    logger: silentLogger,
    events: { append: (_, events) => append(events) },
    cursors,
    streamIntake: () => {
      throw new Error('it streams no metrics');
    },
    print: line => void lines.push(line),
    onSamples: () => {},
  });
  void made.run(stop.signal);
  return { made, lines };
}

const configured = async (options: object = {}): Promise<PluginConnection> => {
  const connection = await start();
  const collectors = [{ name: 'featured', options: JSON.stringify(options) }];
  expect(await connection.configure({ collectors })).toEqual([]);
  return connection;
};

const limits = () => ({ bytesMax: 1_000_000, deadlineMs: 5_000, signal: stop.signal });

describe('a session with a plugin', () => {
  it('keeps events, names those that were not declared, and passes on what is printed', async () => {
    const kept: ReceivedEvent[] = [];
    const { lines } = await session(await configured(), {
      append: async events => void kept.push(...events),
    });
    await until('three events', () => kept.length === 3);
    expect(kept[0]).toEqual({
      name: 'featured.tick',
      time: 1_700_000_000_001,
      severity: 13,
      subject: { type: 'clock', key: 'c1', display: '' },
      reason: '',
      message: 'tick 1',
      attributes: { number: 1, text: 'x', flag: true },
      condition: { type: 'Ticking', status: 'true' },
      raw: '',
      collector: 'featured',
      count: 1,
    });
    expect(kept[1]).toMatchObject({
      name: 'plugin.undeclared_event',
      severity: 9,
      attributes: { name: 'featured.undeclared' },
    });
    await until('a printed line', () => lines.includes('printed by a library'));
  });

  it('goes on after the last event that was kept, in another process too', async () => {
    const cursors = new MemoryState();
    const kept: string[] = [];
    const append = async (events: readonly ReceivedEvent[]): Promise<void> => {
      kept.push(...events.map(({ message }) => message));
    };
    await session(await configured({ events: 2 }), { append, cursors });
    await until('two events', () => kept.length === 2);
    await expect.poll(() => cursors.get('events')).not.toBe(null);
    await session(await configured({ events: 4 }), { append, cursors });
    await until('four events', () => kept.length === 4);
    expect(kept).toEqual(['tick 1', 'tick 2', 'tick 3', 'tick 4']);
  });

  it('asks again for events that could not be kept', async () => {
    const kept: string[] = [];
    let refusals = 0;
    await session(await configured(), {
      async append(events) {
        if (refusals++ === 0)
          throw new OutpostError('unavailable', 'keep events: the disk is full');
        kept.push(...events.map(({ message }) => message));
      },
    });
    await until('three events', () => kept.length === 3);
    expect(refusals).toBe(2);
    expect(kept).toEqual(['tick 1', 'tick 2', 'tick 3']);
  });

  it('follows the inventory', async () => {
    const { made } = await session(await configured(), { append: async () => {} });
    await until('the inventory', () => made.inventoryIsComplete && !made.inventory.has('b'));
    expect([...made.inventory.values()]).toEqual([
      { id: 'a', type: 'disk', attributes: { size: 7, model: 'A' } },
    ]);
  });
});

describe('samples at times of the plugin\u2019s choice', () => {
  it('come in beside collections, and end one by one', async () => {
    const sink = new RecordingSink();
    const drops: string[] = [];
    const now = 1_700_000_000_000;
    const family = { name: 'x', type: 2, collector: 'c' };
    const series = ['a', 'b'].map((value, id) => ({
      id,
      family: 'x',
      labels: [{ name: 'l', value }],
    }));
    const answers = [
      { timeMs: now, families: [family], series, ids: [0, 1], values: [1, 2] },
      { timeMs: now + 5, ids: [0], values: [3], ended: [1] },
      { timeMs: now + 4, ids: [0], values: [9] },
      { timeMs: 12, ids: [0], values: [9] },
      { timeMs: now + 6, ids: [0], values: [4] },
    ].map(answer => outpost.plugin.v1.CollectResponse.encode(answer).finish());
    const counts: number[] = [];
    const made = new PluginSession({
      plugin: 'p',
      connection: new StreamingConnection(answers) as unknown as PluginConnection,
      description: new outpost.plugin.v1.DescribeResponse({
        features: ['stream_metrics'],
      }) as never,
      clock: new ManualClock(now),
      logger: silentLogger,
      events: null,
      cursors: new MemoryState(),
      streamIntake: () =>
        new SeriesIntake({
          plugin: 'p/stream',
          sink,
          seriesMax: 10,
          onDropped: (reason, _, example) => void drops.push(`${reason} ${example}`),
        }),
      print: () => {},
      onSamples: count => void counts.push(count),
    });
    void made.run(stop.signal);
    await until('the end', () => sink.sources[0]?.closedAt !== null && counts.length === 3);
    expect(sink.collections.map(({ time, values }) => [time - now, [...values]])).toEqual([
      [
        0,
        [
          ['x{l="a"}', 1],
          ['x{l="b"}', 2],
        ],
      ],
      [5, [['x{l="a"}', 3]]],
      [6, [['x{l="a"}', 4]]],
    ]);
    expect(sink.sources[0]!.ended).toEqual(['x{l="b"}']);
    expect(drops).toEqual([`wrong-time ${now + 4}`, 'wrong-time 12']);
  });
});

/** Streams given answers once. */
class StreamingConnection {
  readonly #answers: readonly Uint8Array[];

  constructor(answers: readonly Uint8Array[]) {
    this.#answers = answers;
  }

  async *streamMetrics(): AsyncGenerator<Uint8Array> {
    yield* this.#answers;
  }

  async *output(): AsyncGenerator<never> {}
}

describe('calls to a plugin', () => {
  it('run functions, tell progress, and say what is wrong', async () => {
    const connection = await configured();
    const progress: number[] = [];
    const onProgress = (part: number): void => void progress.push(part);
    const call = { name: 'echo', args: { say: 'x', times: 4 } };
    const { rows } = await callFunction(connection, call, { ...limits(), onProgress });
    expect(rows).toEqual([0, 1, 2, 3].map(i => ({ i, say: 'x' })));
    expect(progress).toEqual([0, 0.25, 0.5, 0.75]);
    const wrong = { name: 'echo', args: { times: -1 } };
    await expect(callFunction(connection, wrong, limits())).rejects.toThrow('times must be');
    const unknown = { name: 'nothing', args: {} };
    await expect(callFunction(connection, unknown, limits())).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('end at the bytes and at the deadline they may take', async () => {
    const connection = await configured();
    const endless = { name: 'echo', args: { times: 1e7 } };
    await expect(
      callFunction(connection, endless, { ...limits(), bytesMax: 10_000 }),
    ).rejects.toMatchObject({ code: 'limit-exceeded' });
    await expect(
      callFunction(connection, endless, { ...limits(), bytesMax: Infinity, deadlineMs: 200 }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/timeout|limit-exceeded/) });
    expect(await connection.serves()).toBe(true);
  });

  it('capture what fits, under names that stay where they belong', async () => {
    const connection = await configured();
    const whole = await captureBlobs(connection, 'test', limits());
    expect(whole.problem).toBe(null);
    expect(whole.blobs.map(({ name, data }) => [name, data.length])).toEqual([
      ['trigger.txt', 12],
      ['__.._big.bin', 200_000],
    ]);
    const part = await captureBlobs(connection, 'test', { ...limits(), bytesMax: 1_000 });
    expect(part.blobs.map(({ data }) => data.length)).toEqual([9, 991]);
  });

  it('probe, and validate without a change', async () => {
    const connection = await configured();
    const low = { collectors: [{ name: 'featured', options: '{"low":50}' }] };
    expect(await connection.validate(low)).toEqual([
      { path: 'collectors.featured.options.low', message: 'must be at most high (9)' },
    ]);
    const [found] = await connection.probe({});
    expect(found).toMatchObject({ name: 'featured', outcome: 1, message: 'all is here' });
  });

  it('tell the health of each collector', async () => {
    const connection = await configured({ fails: true });
    expect(await connection.serves('plugin/featured')).toBe(true);
    await connection.collect(Date.now(), 0, 5_000);
    expect(await connection.serves('plugin/featured')).toBe(false);
    expect(await connection.serves()).toBe(true);
    await expect(connection.serves('plugin/other')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('let the plugin query, log and keep state on its host', async () => {
    const connection = await start();
    const logged: unknown[] = [];
    const storage = new FileStorage(dir);
    const samples = [{ labels: [['job', 'x']] as [string, string][], value: 42, time: 7 }];
    await connection.serveHost(server =>
      addHostService(server, {
        query: async text => ({ samples: text === 'up' ? samples : [], warnings: [] }),
        log: (...line) => void logged.push(line),
        state: storage.of('featured'),
      }),
    );
    await connection.configure({});
    const remember = (word: string) =>
      callFunction(connection, { name: 'remember', args: { word } }, limits());
    expect((await remember('one')).rows).toEqual([null]);
    expect((await remember('two')).rows).toEqual(['one']);
    expect(logged).toEqual([
      ['warn', 'remembering one', { length: 3 }],
      ['warn', 'remembering two', { length: 3 }],
    ]);
    const again = new FileStorage(dir);
    expect(Buffer.from((await again.of('featured').get('word'))!).toString()).toBe('two');
    await expect(remember('x'.repeat(70_000))).rejects.toThrow('at most 65536 bytes');
    expect(Buffer.from((await storage.of('featured').get('word'))!).toString()).toBe('two');
  });
});

describe('state of plugins', () => {
  it('is bounded, is deleted, and lies apart for each plugin whatever it is called', async () => {
    const storage = new FileStorage(dir);
    const bytes = (length: number): Uint8Array => new Uint8Array(length);
    const one = storage.of('one');
    for (let i = 0; i < 15; i++) await one.put(`k${i}`, bytes(65_536));
    await expect(one.put('k15', bytes(65_536))).rejects.toMatchObject({ code: 'limit-exceeded' });
    await one.put('k0', null);
    await one.put('k15', bytes(65_536));
    expect(await one.get('k0')).toBe(null);
    await storage.of('../../evil').put('k', bytes(1));
    await storage.notesOn('one').put('k', bytes(2));
    expect(await storage.of('one').get('k')).toBe(null);
    expect(readdirSync(dir).sort()).toEqual(['notes', 'state']);
    expect(readdirSync(join(dir, 'state'))).toHaveLength(2);
  });

  it('says which file is damaged', async () => {
    const storage = new FileStorage(dir);
    await storage.of('one').put('k', Uint8Array.of(1));
    const file = join(dir, 'state/one.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ k: 'AQ==' });
    writeFileSync(file, '{"k":');
    await expect(new FileStorage(dir).of('one').get('k')).rejects.toThrow(`${file}: no JSON`);
  });
});
