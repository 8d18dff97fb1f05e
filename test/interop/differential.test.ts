// The same data in a real Prometheus and in us, the same generated queries to both, the same answers wanted.
// DIFFERENTIAL=5000 asks so many queries, DIFFERENTIAL_SEED=7 others, PROMETHEUS=/path another version.

import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newApi } from '../../src/httpapi/api.ts';
import { ManualClock, systemClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { ALL_SWITCHES } from '../../src/promql/features.ts';
import { RemoteWriteReceiver } from '../../src/remote/receiver.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import type { Db } from '../../src/tsdb/db.ts';
import { BUILD_INFO } from '../fakes/api.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { openTestDb } from '../fakes/test-db.ts';
import { type Answer, difference } from './differential/answers.ts';
import { STEP_MS, STEPS, writeBodies } from './differential/dataset.ts';
import { ORDERED, QueryGenerator } from './differential/generator.ts';
import { KNOWN_DIFFERENCES } from './differential/known-differences.ts';
import { BINARY, type Peer, prometheusVersion, startPeer } from './differential/prometheus.ts';
import { newRandom, pick } from './differential/random.ts';

const version = prometheusVersion();
if (version === null) console.warn(`skipped: ${BINARY} is not installed`);

const QUERIES = Number(process.env['DIFFERENTIAL'] ?? 400);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);
const START = Math.floor((Date.now() - 3 * 3_600_000) / 3_600_000) * 3_600_000;
const END = START + STEPS * STEP_MS;
const SECOND = 1000;
/** Query times lie between whole seconds, where neither samples nor steps of subqueries are. */
const SHIFT_MS = 111;
const SHOWN_MAX = 12;
/** Before 3.0 counters that begin near zero are extrapolated otherwise. */
const HIGH = 100_000;

interface Asked {
  readonly path: 'query' | 'query_range';
  readonly parameters: Readonly<Record<string, string>>;
}

function seconds(ms: number): string {
  return (ms / SECOND).toFixed(3);
}

function isBefore(
  [major, minor]: readonly [number, number],
  until: readonly [number, number] | null,
): boolean {
  return until === null || major < until[0] || (major === until[0] && minor < until[1]);
}

describe.skipIf(version === null)('Prometheus and we', () => {
  let peer: Peer;
  let db: Db;
  let api: FastifyInstance;

  beforeAll(async () => {
    peer = await startPeer();
    const clock = new ManualClock(Date.now());
    const registry = new Registry();
    db = await openTestDb(temporaryDirectory(), { clock, registry });
    const receiver = new RemoteWriteReceiver({ appendable: db, clock, registry, seed: 1 });
    api = newApi({
      engine: new Engine({ clock: systemClock, ...ALL_SWITCHES }),
      queryableFor: () => db,
      ready: () => true,
      buildInfo: BUILD_INFO,
      metadata: db,
      exemplars: db,
      clock: systemClock,
      logger: silentLogger,
      registry,
    });
    for (const body of writeBodies(START, version![0] >= 3 ? 0 : HIGH)) {
      const headers = { contentType: 'application/x-protobuf', contentEncoding: 'snappy' };
      const ours = await receiver.receive(body, headers);
      expect(ours.status).toBe(204);
      const theirs = await fetch(`${peer.url}/api/v1/write`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
        body: new Uint8Array(body),
      });
      expect([theirs.status, await theirs.text()]).toEqual([204, '']);
    }
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await db?.close();
    await peer?.stop();
  });

  async function askThem({ path, parameters }: Asked): Promise<Answer> {
    const body = new URLSearchParams(parameters);
    const answer = await fetch(`${peer.url}/api/v1/${path}`, { method: 'POST', body });
    return (await answer.json()) as Answer;
  }

  async function askUs({ path, parameters }: Asked): Promise<Answer> {
    const query = Object.fromEntries(new URLSearchParams(parameters));
    const answer = await api.inject({ method: 'GET', url: `/api/v1/${path}`, query });
    return answer.json() as Answer;
  }

  it(`give the same answers to ${QUERIES} queries of seed ${SEED}`, async () => {
    const random = newRandom(SEED);
    const middle = START + 40 * 60_000 + SHIFT_MS;
    const times = [middle - 600_000, middle, middle + 300_000].map(ms => ms / SECOND);
    const generator = new QueryGenerator(random, {
      isV3: version![0] >= 3,
      times,
    });
    const failures: string[] = [];
    const known = new Map<string, number>();
    let answered = 0;
    for (let i = 0; i < QUERIES; i++) {
      const isRange = random() < 0.5;
      const query = generator.query(isRange ? 'range' : 'instant');
      const at = START + Math.floor(random() * (END - START + 300_000)) + 0;
      const time = Math.floor(at / SECOND) * SECOND + SHIFT_MS;
      const step = pick(random, [7, 15, 60, 61]);
      const asked: Asked = isRange
        ? {
            path: 'query_range',
            parameters: {
              query,
              start: seconds(time),
              end: seconds(time + step * SECOND * 20),
              step: String(step),
            },
          }
        : { path: 'query', parameters: { query, time: seconds(time) } };
      const [theirs, ours] = await Promise.all([askThem(asked), askUs(asked)]);
      const ordered = !isRange && ORDERED.has(query);
      const reason = difference(theirs, ours, ordered);
      if (theirs.status === 'success') answered++;
      if (reason === null) continue;
      const why = KNOWN_DIFFERENCES.find(
        ({ until, concerns }) => isBefore(version!, until) && concerns(query, reason),
      )?.why;
      if (why !== undefined) known.set(why, (known.get(why) ?? 0) + 1);
      else failures.push(`${JSON.stringify(asked)}\n    ${reason}`);
    }
    for (const [why, count] of known) console.warn(`known difference, ${count} times: ${why}`);
    const shown = failures.slice(0, SHOWN_MAX).join('\n');
    expect(failures.length, `${failures.length} of ${QUERIES} differ:\n${shown}`).toBe(0);
    // A generator whose queries all fail would compare nothing.
    expect(answered).toBeGreaterThan(QUERIES * 0.7);
  }, 600_000);
});
