// Samples counted step by step, by a real Prometheus and by us, over the data of the differential test.

import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { ALL_SWITCHES } from '../../src/promql/features.ts';
import { RemoteWriteReceiver } from '../../src/remote/receiver.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { newTestApi } from '../fakes/api.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { openTestDb } from '../fakes/test-db.ts';
import { STEP_MS, STEPS, writeBodies } from './differential/dataset.ts';
import { QueryGenerator } from './differential/generator.ts';
import { BINARY, type Peer, prometheusVersion, startPeer } from './differential/prometheus.ts';
import { newRandom } from './differential/random.ts';

const version = prometheusVersion();
const isNew = version !== null && version[0] >= 3;
if (!isNew) console.warn(`skipped: ${BINARY} is not Prometheus 3`);

const QUERIES = Number(process.env['DIFFERENTIAL'] ?? 200);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);
const START = Math.floor((Date.now() - 3 * 3_600_000) / 3_600_000) * 3_600_000;
const MIDDLE = (START + (STEPS / 2) * STEP_MS) / 1000;

/** By hand: one for each rule of counting. */
const RULES = [
  'g',
  'g offset 3m',
  `g @ ${MIDDLE}`,
  'g + other',
  'native',
  'sum(native)',
  'histogram_count(native)',
  'histogram_quantile(0.9, native)',
  'rate(native[5m])',
  'histogram_sum(rate(native[5m]))',
  'timestamp(g)',
  'timestamp(native)',
  `timestamp(g @ ${MIDDLE})`,
  'timestamp(g + 1)',
  'rate(requests_total[5m])',
  `rate(requests_total[5m] @ ${MIDDLE})`,
  `sum(rate(requests_total[5m] @ ${MIDDLE})) + g`,
  'sum_over_time(g[10m])',
  'absent_over_time(g[10m])',
  'max_over_time(g[10m:1m])',
  'max_over_time(rate(requests_total[5m])[10m:1m])',
  'max_over_time(sum_over_time(g[5m:30s])[10m:1m])',
  `max_over_time(g[10m:1m] @ ${MIDDLE})`,
  'max_over_time(native[10m:1m])',
  'rate(requests_total[5m] anchored)',
  'rate(requests_total[5m] smoothed)',
  'increase(requests_total[5m] anchored)',
  'g smoothed',
  'absent(g)',
  'absent(nothing)',
  'scalar(sum(g))',
  'vector(scalar(sum(g))) + time()',
  'topk(2, g)',
  'nothing and g',
  'nothing * g',
  'nothing or g',
  'g unless g',
  'info(g)',
  'info(g, {version=~".+"})',
  'label_replace(g, "a", "b", "c", "d")',
  'count_values("v", level)',
  'g == g',
  'predict_linear(g[5m], scalar(sum(g)))',
  'quantile_over_time(scalar(sum(g)), g[5m])',
  '1 + 2',
  'gone',
  'sum_over_time(gone[5m])',
];
const RANGES = ['g[5m]', 'native[5m]', 'g[5m:1m]', 'rate(requests_total[5m])[5m:1m]', 'gone[10m]'];

interface Statistics {
  readonly totalQueryableSamples: number;
  readonly totalQueryableSamplesPerStep?: readonly (readonly [number, number])[];
}

interface Answer {
  readonly error?: string;
  readonly data?: { readonly stats: { readonly samples: Statistics } };
}

describe.skipIf(!isNew)('Prometheus and we', () => {
  let peer: Peer;
  let db: Db;
  let api: FastifyInstance;

  beforeAll(async () => {
    peer = await startPeer();
    const clock = new ManualClock(Date.now());
    const registry = new Registry();
    db = await openTestDb(temporaryDirectory(), { clock, registry });
    const receiver = new RemoteWriteReceiver({ appendable: db, clock, registry, seed: 1 });
    const engine = new Engine({ clock: systemClock, ...ALL_SWITCHES });
    api = newTestApi(0, { engine, queryableFor: () => db }).api;
    for (const body of writeBodies(START, 0)) {
      const headers = { contentType: 'application/x-protobuf', contentEncoding: 'snappy' };
      expect((await receiver.receive(body, headers)).status).toBe(204);
      const theirs = await fetch(`${peer.url}/api/v1/write`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
        body: new Uint8Array(body),
      });
      expect(theirs.status).toBe(204);
    }
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await db?.close();
    await peer?.stop();
  });

  async function difference(path: string, query: Record<string, string>): Promise<string | null> {
    const url = `/api/v1/${path}`;
    const theirs = await fetch(`${peer.url}${url}?${new URLSearchParams(query)}`);
    const ours = await api.inject({ url, query });
    const [expected, actual] = [(await theirs.json()) as Answer, ours.json() as Answer];
    if (expected.error !== undefined && actual.error !== undefined) return null;
    const [a, b] = [samplesOf(expected), samplesOf(actual)];
    return a === b ? null : `${path} ${query['query']}\n they ${a}\n we   ${b}`;
  }

  it(`count alike for ${RULES.length + QUERIES} queries`, async () => {
    const generator = new QueryGenerator(newRandom(SEED), { isV3: true, times: [MIDDLE] });
    // Where none are wanted we do not read, and so have nothing to count.
    const made = Array.from({ length: QUERIES }, () => generator.query('range')).filter(
      query => !/(?:topk|bottomk)[^(]*\([^(]*\)? ?\(?(?:0|-1),/.test(query),
    );
    const failures: (string | null)[] = [];
    for (const query of [...RULES, ...made]) {
      const time = String(MIDDLE + 7.111);
      failures.push(await difference('query', { query, time, stats: 'all' }));
      const end = String(MIDDLE + 307.111);
      const range = { query, start: time, end, step: '50', stats: 'all' };
      failures.push(await difference('query_range', range));
    }
    for (const query of RANGES) {
      failures.push(await difference('query', { query, time: String(MIDDLE), stats: 'all' }));
    }
    const found = failures.filter(failure => failure !== null);
    expect(found.length, found.slice(0, 40).join('\n')).toBe(0);
  }, 120_000);
});

function samplesOf({ data, error }: Answer): string {
  if (!data) return error ?? '';
  const { totalQueryableSamples, totalQueryableSamplesPerStep } = data.stats.samples;
  return JSON.stringify([totalQueryableSamples, totalQueryableSamplesPerStep]);
}
