// Native histograms and exemplars over remote write, both versions of it.

import { beforeEach, describe, expect, test } from 'vitest';
import { snappyEncode } from '../../../src/encoding/snappy.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { RemoteWriteReceiver } from '../../../src/remote/receiver.ts';
import type { WriteAnswer } from '../../../src/remote/write-tally.ts';
import type { FloatHistogram } from '../../../src/storage/histogram.ts';
import { isStaleAt } from '../../../src/storage/stale.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';
import { encodeWriteRequest, writeBody } from '../../fakes/write-request.ts';
import { type WrittenSeriesV2, writeBodyV2 } from '../../fakes/write-request-v2.ts';

const T = 1_700_000_000_000;
const UP = Labels.fromObject({ __name__: 'up', job: 'a' });
const UP_PAIRS = [...UP];
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

const INTEGER = histogram({
  counterResetHint: 'reset',
  schema: -4,
  zeroThreshold: 2 ** -128,
  zeroCount: 2,
  count: 20,
  sum: -1.5,
  positiveSpans: [
    { offset: -3, length: 2 },
    { offset: 1, length: 1 },
  ],
  positiveBuckets: Float64Array.of(5, 1, 7),
  negativeSpans: [{ offset: 2, length: 1 }],
  negativeBuckets: Float64Array.of(5),
  integer: true,
});
const FLOAT = histogram({
  counterResetHint: 'gauge',
  schema: 8,
  zeroCount: 0.5,
  count: 1.75,
  sum: 1e300,
  positiveSpans: [{ offset: 0, length: 1 }],
  positiveBuckets: Float64Array.of(1.25),
});
const CUSTOM = histogram({
  schema: -53,
  count: 3,
  sum: 4,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: Float64Array.of(1, 2),
  customValues: Float64Array.of(0.5, 10),
  integer: true,
});

let storage: MemoryStorage;
let registry: Registry;
let receiver: RemoteWriteReceiver;

function newReceiver(limits = {}): RemoteWriteReceiver {
  registry = new Registry();
  const clock = new ManualClock(T);
  return new RemoteWriteReceiver({ appendable: storage, clock, registry, seed: 7, limits });
}

function sendV1(body: Uint8Array): Promise<WriteAnswer> {
  return receiver.receive(body, { contentType: undefined, contentEncoding: 'snappy' });
}

function sendV2(...series: readonly WrittenSeriesV2[]): Promise<WriteAnswer> {
  return receiver.receive(writeBodyV2(series), { contentType: V2, contentEncoding: 'snappy' });
}

/** Samples, histograms and exemplars that an answer says are written. */
function written({ status, headers }: WriteAnswer): [number, ...string[]] {
  const names = ['Samples', 'Histograms', 'Exemplars'];
  return [status, ...names.map(name => headers[`X-Prometheus-Remote-Write-${name}-Written`] ?? '')];
}

function metric(name: string): number | undefined {
  return registry.gather().find(f => f.name === `outpost_remote_write_${name}`)?.samples[0]?.value;
}

function histogramsOf(labels = UP): (FloatHistogram | undefined)[] {
  return storage.histogramsOf(labels);
}

beforeEach(() => {
  storage = new MemoryStorage();
  receiver = newReceiver();
});

describe('remote write 1.0', () => {
  test('stores histograms of every kind, bit by bit', async () => {
    const sentHistograms = [
      [T, INTEGER],
      [T + 1, FLOAT],
      [T + 2, CUSTOM],
      [T + 3, null],
    ] as const;
    const answer = await sendV1(writeBody([{ labels: UP_PAIRS, sentHistograms }]));
    expect(written(answer)).toEqual([204, '0', '4', '0']);
    expect(histogramsOf()).toEqual([INTEGER, FLOAT, CUSTOM, undefined]);
    expect(isStaleAt(storage.samplesOf(UP).values, 3)).toBe(true);
    expect(metric('samples_stored_total')).toBe(4);
    expect(metric('histograms_stored_total')).toBe(4);
  });

  test('keeps the order of floats and histograms of a series', async () => {
    const float = (t: number) => ({ labels: UP_PAIRS, samples: [[t, t - T]] as const });
    const rich = (t: number) => ({ labels: UP_PAIRS, sentHistograms: [[t, CUSTOM]] as const });
    const body = writeBody([float(T), rich(T + 1), rich(T + 2), float(T + 3), rich(T + 4)]);
    expect(written(await sendV1(body))).toEqual([204, '2', '3', '0']);
    expect(storage.samplesOf(UP).times).toEqual([T, T + 1, T + 2, T + 3, T + 4]);
    expect(histogramsOf().map(one => one?.count)).toEqual([undefined, 3, 3, undefined, 3]);
  });

  test('stores exemplars, also those of series it knows', async () => {
    const one = (t: number, trace: string) => ({
      labels: UP_PAIRS,
      samples: [[t, 1]] as const,
      sentExemplars: [{ labels: Labels.fromObject({ trace }), value: 2.5, time: t }],
    });
    expect(written(await sendV1(writeBody([one(T, 'a')])))).toEqual([204, '1', '0', '1']);
    const long = one(T + 2, 'x'.repeat(124));
    const answer = await sendV1(writeBody([one(T + 1, 'b'), long]));
    expect(written(answer)).toEqual([204, '2', '0', '1']);
    expect(storage.exemplarsOf(UP).map(({ time, value }) => [time, value])).toEqual([
      [T, 2.5],
      [T + 1, 2.5],
    ]);
    expect(metric('exemplars_stored_total')).toBe(2);
    expect(metric('exemplars_dropped_total')).toBe(1);
  });

  test('says what is wrong with a histogram and stores the others', async () => {
    const broken = { ...INTEGER, count: 21 };
    const sentHistograms = [
      [T, broken],
      [T + 1, INTEGER],
    ] as const;
    const answer = await sendV1(writeBody([{ labels: UP_PAIRS, sentHistograms }]));
    expect(written(answer)).toEqual([400, '0', '1', '0']);
    expect(answer.message).toBe(
      'remote write: 1 of 2 samples were refused and the others stored: 1 invalid-histogram. First: up{job="a"} at 2023-11-14T22:13:20.000Z (its buckets add up to 20, its count is 21): invalid-histogram.',
    );
  });

  test('sends histograms of a series again that the store forgot', async () => {
    const body = (t: number) =>
      writeBody([
        { labels: [['__name__', 'x']], samples: [[t, 1]] },
        { labels: UP_PAIRS, sentHistograms: [[t, INTEGER]] },
      ]);
    await sendV1(body(T));
    storage.forget(UP);
    expect(written(await sendV1(body(T + 1)))).toEqual([204, '1', '1', '0']);
    expect(storage.samplesOf(UP).times).toEqual([T + 1]);
    expect(storage.samplesOf(Labels.fromObject({ __name__: 'x' })).times).toEqual([T, T + 1]);
  });

  test('refuses damaged histograms and more of them than a request may have', async () => {
    const labels = UP_PAIRS;
    const whole = encodeWriteRequest([{ labels, sentHistograms: [[T, INTEGER]] }]);
    const at = whole.lastIndexOf(0x78); // the time's tag
    whole[at] = 0x7a; // … as a length that leads beyond the end
    expect((await sendV1(snappyEncode(whole))).status).toBe(400);
    receiver = newReceiver({ samplesMax: 2 });
    const answer = await sendV1(writeBody([{ labels, histograms: 3 }]));
    expect([answer.status, storage.samplesOf(UP).times]).toEqual([400, []]);
    expect(answer.message).toContain('more than 2 samples');
  });

  test('stores more histograms than one commit takes, in order', async () => {
    const sentHistograms = Array.from({ length: 1000 }, (_, i) => [T + i, CUSTOM] as const);
    const answer = await sendV1(writeBody([{ labels: UP_PAIRS, sentHistograms }]));
    expect(written(answer)).toEqual([204, '0', '1000', '0']);
    expect(storage.samplesOf(UP).times.length).toBe(1000);
  });
});

describe('remote write 2.0', () => {
  const labels = { __name__: 'up', job: 'a' };

  test('stores samples, histograms, exemplars and metadata, and says how many', async () => {
    const answer = await sendV2(
      {
        labels,
        samples: [
          [T, 1],
          [T + 1, 2],
        ],
        exemplars: [[T, 0.5, { trace_id: 'abc' }]],
        metadata: { type: 2, help: 'Is it up?', unit: '' },
      },
      {
        labels: { __name__: 'h', job: 'a' },
        histograms: [
          [T, INTEGER],
          [T + 1, FLOAT],
          [T + 2, null],
        ],
      },
      {
        labels: { __name__: 'c_bucket', le: '1' },
        samples: [[T, 3]],
        metadata: { type: 3, help: 'Classic.', unit: 's' },
      },
    );
    expect(written(answer)).toEqual([204, '3', '3', '1']);
    expect(storage.samplesOf(UP)).toEqual({ times: [T, T + 1], values: Float64Array.of(1, 2) });
    const h = Labels.fromObject({ __name__: 'h', job: 'a' });
    expect(histogramsOf(h)).toEqual([INTEGER, FLOAT, undefined]);
    expect(storage.exemplarsOf(UP)).toMatchObject([{ time: T, value: 0.5 }]);
    expect(storage.exemplarsOf(UP)[0]!.labels.toObject()).toEqual({ trace_id: 'abc' });
    expect(Object.fromEntries(storage.metadata())).toEqual({
      up: { type: 'gauge', help: 'Is it up?', unit: '' },
      c: { type: 'histogram', help: 'Classic.', unit: 's' },
    });
  });

  test('stores what is valid beside what is not, answers 400 and says how many', async () => {
    const answer = await sendV2(
      { labels, samples: [[T, 1]] },
      { labels, samples: [[T - 1, 1]] },
      { labels, refs: [1, 2, 3], samples: [[T, 1]] },
      { labels, refs: [1, 99], samples: [[T, 1]] },
      { labels: { job: 'nameless' }, samples: [[T, 1]] },
      { labels: { __name__: 'last' }, samples: [[T, 1]] },
    );
    expect(written(answer)).toEqual([400, '2', '0', '0']);
    expect(answer.message).toContain('4 of 6 samples were refused and the others stored');
    expect(answer.message).toContain('3 references are no names and values');
    expect(storage.seriesCount).toBe(2);
  });

  test('sorts labels, drops empty ones and refuses doubles', async () => {
    const sorted = await sendV2({ labels: { job: 'a', x: '', __name__: 'up' }, samples: [[T, 1]] });
    expect(sorted.status).toBe(204);
    expect(storage.samplesOf(UP).times).toEqual([T]);
    const doubled = await sendV2({ labels, refs: [1, 2, 1, 2], samples: [[T + 1, 1]] });
    expect([doubled.status, storage.samplesOf(UP).times]).toEqual([400, [T]]);
    expect(doubled.message).toContain('label "__name__" occurs twice');
  });

  test('takes symbols that stand behind the series', async () => {
    const body = Buffer.from([
      ...[0x2a, 0x11, 0x0a, 0x02, 1, 2, 0x12, 0x0b, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 5],
      ...[0x22, 0, 0x22, 8, ...Buffer.from('__name__'), 0x22, 1, 0x78],
    ]);
    const answer = await receiver.receive(snappyEncode(body), {
      contentType: V2,
      contentEncoding: 'snappy',
    });
    expect(written(answer)).toEqual([204, '1', '0', '0']);
    expect(storage.samplesOf(Labels.fromObject({ __name__: 'x' })).times).toEqual([5]);
  });

  test('drops exemplars that are too long and keeps the samples', async () => {
    const long = { trace_id: 'x'.repeat(200) };
    const answer = await sendV2({ labels, samples: [[T, 1]], exemplars: [[T, 1, long]] });
    expect(written(answer)).toEqual([204, '1', '0', '0']);
    expect(metric('exemplars_dropped_total')).toBe(1);
  });

  test('stores more samples than one commit takes', async () => {
    const series = Array.from({ length: 50 }, (_, n) => ({
      labels: { __name__: 'm', n: String(n) },
      samples: Array.from({ length: 500 }, (_, i) => [T + i, i] as const),
    }));
    expect(written(await sendV2(...series))).toEqual([204, '25000', '0', '0']);
    const last = Labels.fromObject({ __name__: 'm', n: '49' });
    expect(storage.samplesOf(last).times.length).toBe(500);
  });

  test('answers damaged messages and too long ones 400, and stores nothing of them', async () => {
    const whole = writeBodyV2([{ labels, samples: [[T, 1]] }]);
    const send = (body: Uint8Array) =>
      receiver.receive(body, { contentType: V2, contentEncoding: 'snappy' });
    expect((await send(whole.subarray(0, whole.length - 1))).status).toBe(400);
    expect((await send(snappyEncode(Uint8Array.of(0x2a, 5, 1)))).status).toBe(400);
    receiver = newReceiver({ samplesMax: 1 });
    const two = [
      [T, 1],
      [T + 1, 1],
    ] as const;
    expect(written(await sendV2({ labels, samples: two }))).toEqual([400, '0', '0', '0']);
    expect(storage.samplesOf(UP).times).toEqual([]);
  });
});
