// Native histograms and markers over remote write that come late, in front of a head.

import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { RemoteWriteReceiver } from '../../../src/remote/receiver.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { histogram } from '../../fakes/prometheus-cases.ts';
import { contents, newTestHead } from '../../fakes/test-db.ts';
import { writeBody } from '../../fakes/write-request.ts';
import { writeBodyV2 } from '../../fakes/write-request-v2.ts';

const T = 1_700_000_000_000;
const V1 = 'application/x-protobuf';
const V2 = `${V1};proto=io.prometheus.write.v2.Request`;

function counted(count: number) {
  return histogram({
    schema: 1,
    count,
    sum: count,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    integer: true,
  });
}

type Sent = readonly (readonly [number, ReturnType<typeof counted> | null])[];

const VERSIONS: readonly (readonly [string, string, (sent: Sent) => Uint8Array])[] = [
  ['1.0', V1, sentHistograms => writeBody([{ labels: [['__name__', 'up']], sentHistograms }])],
  ['2.0', V2, histograms => writeBodyV2([{ labels: { __name__: 'up' }, histograms }])],
];

test.each(VERSIONS)('over %s are stored within the window', async (_, contentType, body) => {
  const clock = new ManualClock(T);
  const head = newTestHead({ clock, outOfOrderMs: 600_000 });
  const registry = new Registry();
  const receiver = new RemoteWriteReceiver({ appendable: head, clock, registry, seed: 7 });
  const send = (sent: Sent) =>
    receiver.receive(body(sent), { contentType, contentEncoding: 'snappy' });
  expect((await send([[T, counted(9)]])).status).toBe(204);
  const late: Sent = [
    [T - 2000, counted(5)],
    [T - 1000, null],
    [T - 3000, counted(4)],
  ];
  expect(await send(late)).toMatchObject({ status: 204, message: '' });
  expect((await send(late)).status).toBe(204);
  const times = [T - 3000, T - 2000, T - 1000, T];
  const expected = ['h4', 'h5', 'stale', 'h9'].map((text, i) => `${times[i]}:${text}`);
  expect((await contents(head)).get('up')).toEqual(expected);
  const refused = await send([
    [T - 2000, counted(6)],
    [T - 700_000, counted(1)],
  ]);
  expect(refused.status).toBe(400);
  expect((await contents(head)).get('up')).toEqual(expected);
});
