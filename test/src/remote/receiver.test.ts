import { beforeEach, describe, expect, test } from 'vitest';
import { snappyEncode } from '../../../src/encoding/snappy.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { RemoteWriteReceiver } from '../../../src/remote/receiver.ts';
import type { WriteAnswer } from '../../../src/remote/write-tally.ts';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';
import { encodeWriteRequest, writeBody } from '../../fakes/write-request.ts';

const T = 1_700_000_000_000;
const UP = Labels.fromObject({ __name__: 'up', job: 'a' });
const UP_PAIRS = [...UP];
const V1 = { contentType: 'application/x-protobuf', contentEncoding: 'snappy' };

let storage: MemoryStorage;
let registry: Registry;
let receiver: RemoteWriteReceiver;

function newReceiver(limits = {}): RemoteWriteReceiver {
  registry = new Registry();
  return new RemoteWriteReceiver({
    appendable: storage,
    clock: new ManualClock(T),
    registry,
    seed: 7,
    limits,
  });
}

function send(body: Uint8Array, headers = {}): Promise<WriteAnswer> {
  return receiver.receive(body, { ...V1, ...headers });
}

function metric(name: string): number[] {
  return registry
    .gather()
    .find(f => f.name === name)!
    .samples.map(s => s.value);
}

beforeEach(() => {
  storage = new MemoryStorage();
  receiver = newReceiver();
});

describe('a valid request', () => {
  test('is stored and answered 204', async () => {
    const series = {
      labels: UP_PAIRS,
      samples: [
        [T, 1],
        [T + 15_000, 0],
      ] as const,
    };
    expect(await send(writeBody([series]))).toEqual({
      status: 204,
      message: '',
      headers: {
        'X-Prometheus-Remote-Write-Samples-Written': '2',
        'X-Prometheus-Remote-Write-Histograms-Written': '0',
        'X-Prometheus-Remote-Write-Exemplars-Written': '0',
      },
    });
    expect(storage.samplesOf(UP)).toEqual({
      times: [T, T + 15_000],
      values: Float64Array.of(1, 0),
    });
    expect(metric('outpost_remote_write_samples_stored_total')).toEqual([2]);
  });

  test('builds labels once: later requests find the series by its bytes', async () => {
    for (let i = 0; i < 5; i++) {
      await send(writeBody([{ labels: UP_PAIRS, samples: [[T + i, i]] }]));
    }
    expect(storage.seriesCalls).toBe(1);
    expect(storage.samplesOf(UP).times).toEqual([T, T + 1, T + 2, T + 3, T + 4]);
  });

  test('keeps the bits of staleness markers', async () => {
    const bytes = encodeWriteRequest([{ labels: UP_PAIRS, samples: [[T, 1]] }]);
    const marker = new Float64Array(1);
    setStale(marker, 0);
    const at = bytes.indexOf(0x09, bytes.length - 18);
    bytes.set(new Uint8Array(marker.buffer), at + 1);
    await send(snappyEncode(bytes));
    expect(isStaleAt(storage.samplesOf(UP).values, 0)).toBe(true);
  });

  test('may carry times before 1970, before 1971 and far ahead', async () => {
    const times = [-5, 0, 1, 2 ** 35 - 1, 2 ** 35, T, 2 ** 42 - 1, 2 ** 42, 2 ** 50];
    const answer = await send(writeBody([{ labels: UP_PAIRS, samples: times.map(t => [t, 1]) }]));
    expect(answer.status).toBe(204);
    expect(storage.samplesOf(UP).times).toEqual(times);
  });

  test('sorts labels, drops empty ones and takes labels that samples stand between', async () => {
    const labels = [
      ['job', 'a'],
      ['empty', ''],
      ['__name__', 'up'],
    ] as const;
    expect((await send(writeBody([{ labels, samples: [[T, 1]], split: true }]))).status).toBe(204);
    expect(storage.samplesOf(UP).times).toEqual([T]);
  });

  test('passes metadata on', async () => {
    await send(writeBody([], [{ type: 1, name: 'x_total', help: 'X.', unit: 'seconds' }]));
    expect(storage.metadata().get('x_total')).toEqual({
      type: 'counter',
      help: 'X.',
      unit: 'seconds',
    });
  });

  test('may be empty', async () => {
    expect((await send(snappyEncode(new Uint8Array(0)))).status).toBe(204);
  });
});

describe('refused samples', () => {
  test('are named by reason while the valid ones are stored', async () => {
    await send(writeBody([{ labels: UP_PAIRS, samples: [[T, 1]] }]));
    const other = Labels.fromObject({ __name__: 'other' });
    const answer = await send(
      writeBody([
        {
          labels: UP_PAIRS,
          samples: [
            [T - 1, 1],
            [T, 2],
            [T + 1, 3],
          ],
        },
        {
          labels: [['job', 'a']],
          samples: [
            [T, 1],
            [T + 1, 1],
          ],
        },
        {
          labels: [
            ['__name__', 'x'],
            ['a', '1'],
            ['a', '2'],
          ],
          samples: [[T, 1]],
        },
        { labels: [...other], samples: [[T, 9]] },
      ]),
    );
    expect(answer.status).toBe(400);
    expect(answer.message).toBe(
      'remote write: 5 of 7 samples were refused and the others stored: 3 invalid-labels, 1 out-of-order, 1 duplicate-sample. ' +
        'First: {job="a"} (store series: the metric name (label "__name__") is missing): invalid-labels; ' +
        '(label "a" occurs twice): invalid-labels; up{job="a"} at 2023-11-14T22:13:19.999Z: out-of-order.',
    );
    expect(answer.headers['X-Prometheus-Remote-Write-Samples-Written']).toBe('2');
    expect(storage.samplesOf(UP).times).toEqual([T, T + 1]);
    expect(storage.samplesOf(other).times).toEqual([T]);
    expect(metric('outpost_remote_write_samples_refused_total').reduce((a, b) => a + b)).toBe(5);
  });

  test('include samples of series that the store has no room for', async () => {
    storage = new MemoryStorage({ seriesMax: 1 });
    receiver = newReceiver();
    const answer = await send(
      writeBody([
        { labels: UP_PAIRS, samples: [[T, 1]] },
        { labels: [['__name__', 'b']], samples: [[T, 1]] },
      ]),
    );
    expect([answer.status, answer.message]).toEqual([
      400,
      'remote write: 1 of 2 samples were refused and the others stored: 1 series-limit. First: b (store series: 1 series are held): series-limit.',
    ]);
  });

  test('do not include invalid UTF-8 taken for something else', async () => {
    const bytes = encodeWriteRequest([
      {
        labels: [
          ['__name__', 'up'],
          ['a', 'zz'],
        ],
        samples: [[T, 1]],
      },
    ]);
    bytes[bytes.lastIndexOf(0x7a)] = 0xff;
    const answer = await send(snappyEncode(bytes));
    expect(answer.status).toBe(400);
    expect(answer.message).toContain('a label is not valid UTF-8');
  });
});

test('a series that the store forgot is found again and nothing of the request is lost or repeated', async () => {
  const other = Labels.fromObject({ __name__: 'other' });
  const body = (t: number) =>
    writeBody([
      {
        labels: UP_PAIRS,
        samples: [
          [t, 1],
          [t + 1, 2],
        ],
      },
      {
        labels: [...other],
        samples: [
          [t, 3],
          [t + 1, 4],
        ],
      },
      { labels: [['nameless', 'x']], samples: [[t, 1]] },
    ]);
  await send(body(T));
  storage.forget(UP);
  const answer = await send(body(T + 10));
  expect(answer.status).toBe(400);
  expect(answer.message).toContain(
    '1 of 5 samples were refused and the others stored: 1 invalid-labels.',
  );
  expect(storage.samplesOf(UP).times).toEqual([T + 10, T + 11]);
  expect(storage.samplesOf(other).times).toEqual([T, T + 1, T + 10, T + 11]);
  const calls = storage.seriesCalls;
  await send(body(T + 20));
  // Only the nameless series is tried again.
  expect(storage.seriesCalls).toBe(calls + 1);
});

describe('a long request', () => {
  const names = Array.from({ length: 3000 }, (_, i) => `series_${i}`);
  const long = (time: number): Uint8Array =>
    writeBody(
      names.map(name => ({
        labels: [['__name__', name]],
        samples: Array.from({ length: 8 }, (_, i) => [time + i, i] as const),
      })),
    );
  const stored = (): number =>
    names.reduce((sum, name) => {
      const labels = Labels.fromObject({ __name__: name });
      return sum + storage.samplesOf(labels).times.length;
    }, 0);

  test('is committed in parts, its new series before its samples, and counted as one', async () => {
    const answer = await send(long(T));
    expect(answer.status).toBe(204);
    expect(answer.headers['X-Prometheus-Remote-Write-Samples-Written']).toBe('24000');
    expect([storage.seriesCount, stored()]).toEqual([3000, 24_000]);
  });

  test('stores none of its samples where its end is damaged', async () => {
    const whole = encodeWriteRequest(
      names.map(name => ({ labels: [['__name__', name]], samples: [[T, 1]] })),
    );
    const answer = await send(snappyEncode(whole.subarray(0, whole.length - 1)));
    expect([answer.status, stored()]).toEqual([400, 0]);
  });

  test('and those behind it are answered in the order in which they came', async () => {
    const order: number[] = [];
    const answers = [long(T), long(T + 10), writeBody([{ labels: UP_PAIRS, samples: [[T, 1]] }])];
    await Promise.all(answers.map((body, i) => send(body).then(() => order.push(i))));
    expect(order).toEqual([0, 1, 2]);
    expect(stored()).toBe(48_000);
  });
});

describe('a request that cannot be taken', () => {
  test.each([
    [{ contentType: 'application/json' }, 415],
    [{ contentType: 'application/x-protobuf;proto=io.prometheus.write.v3.Request' }, 415],
    [{ contentType: 'application/x-protobuf;proto=prometheus.WriteRequest' }, 204],
    [{ contentType: undefined }, 204],
    [{ contentEncoding: 'gzip' }, 415],
    [{ contentEncoding: 'zstd' }, 415],
    [{ contentEncoding: undefined }, 204],
  ])('headers %j are answered %d', async (headers, status) => {
    const answer = await send(writeBody([{ labels: UP_PAIRS, samples: [[T, 1]] }]), headers);
    expect(answer.status).toBe(status);
    expect(storage.seriesCount).toBe(status === 204 ? 1 : 0);
  });

  test('is answered 400 where snappy or protobuf are damaged, and stores nothing', async () => {
    const whole = encodeWriteRequest([
      { labels: UP_PAIRS, samples: [[T, 1]] },
      { labels: [['__name__', 'b']], samples: [[T, 1]] },
    ]);
    const packed = snappyEncode(whole);
    const bodies = [
      new Uint8Array(0),
      packed.subarray(0, packed.length - 3),
      snappyEncode(whole.subarray(0, whole.length - 3)),
      Uint8Array.of(0x80, 0x80),
    ];
    for (const body of bodies) expect((await send(body)).status).toBe(400);
    expect(storage.samplesOf(UP).times).toEqual([]);
  });

  test('is answered 400 with the numbers where it decodes to more than the limit', async () => {
    // 2^30 bytes announced by a body of five.
    const answer = await send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04));
    expect([answer.status, answer.message]).toEqual([
      400,
      'decode snappy: 1073741824 bytes when decompressed, at most 33554432 are accepted',
    ]);
  });

  test('is answered 400 where it holds too many samples', async () => {
    receiver = newReceiver({ samplesMax: 2 });
    const samples = [
      [T, 1],
      [T + 1, 1],
      [T + 2, 1],
    ] as const;
    const answer = await send(writeBody([{ labels: UP_PAIRS, samples }]));
    expect(answer.status).toBe(400);
    expect(answer.message).toContain('more than 2 samples or series in one request');
    expect(storage.samplesOf(UP).times).toEqual([]);
  });

  test('is asked to come again while the store is unavailable', async () => {
    storage.failCommits(new OutpostError('unavailable', 'write the log: disk full'));
    const body = writeBody([{ labels: UP_PAIRS, samples: [[T, 1]] }]);
    expect(await send(body)).toEqual({
      status: 503,
      message: 'write the log: disk full',
      headers: { 'Retry-After': '5' },
    });
    storage.failCommits(undefined);
    expect((await send(body)).status).toBe(204);
    expect(storage.samplesOf(UP).times).toEqual([T]);
  });

  test('is asked to come again while too many are in work', async () => {
    receiver = newReceiver({ requestsMax: 1 });
    const body = writeBody([{ labels: UP_PAIRS, samples: [[T, 1]] }]);
    const [first, second] = await Promise.all([send(body), send(body)]);
    expect([first.status, second.status]).toEqual([204, 503]);
    expect((await send(body)).status).toBe(204);
  });
});
