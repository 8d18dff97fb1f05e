// Texts of queries, formatted by a real Prometheus and by us. Seeded as the differential test.

import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { ALL_SWITCHES } from '../../src/promql/features.ts';
import { newTestApi } from '../fakes/api.ts';
import { QueryGenerator } from './differential/generator.ts';
import { BINARY, type Peer, prometheusVersion, startPeer } from './differential/prometheus.ts';
import { newRandom, pick, type Random } from './differential/random.ts';

const version = prometheusVersion();
const isNew = version !== null && version[0] >= 3;
if (!isNew) console.warn(`skipped: ${BINARY} is not Prometheus 3`);

const QUERIES = Number(process.env['DIFFERENTIAL'] ?? 300);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);
const LINE = 100;

/** What the generator does not make: texts at the edge of a line, and everything around subqueries. */
const EDGES = [
  '(((1 + 2)))',
  'sum(x)',
  '',
  '1 +',
  ...[90, 94, 98, 99, 100, 101, 102, 120].flatMap(length => [
    'x'.repeat(length),
    `sum(${'x'.repeat(length - 5)})`,
    `rate(${'x'.repeat(length - 10)}[5m])`,
    `-${'x'.repeat(length - 1)}`,
    `-(${'x'.repeat(length - 3)} + 1)`,
    `x{a="${'ü'.repeat(length / 2)}"} + on (a, b) group_left (c) y`,
    `max_over_time(${'x'.repeat(length - 30)}[5m:1m] offset 5m)`,
    `max_over_time(rate(${'x'.repeat(length)}[5m])[5m:1m] @ 17 offset 5m)`,
    `quantile_over_time(0.9, (${'x'.repeat(length)} + y)[5m:])`,
    `topk by (a, "ü.b") (${'5 + '.repeat(length / 4)} 7, x)`,
    `a + fill_left (3) (b * ignoring () group_right (x) ${'x'.repeat(length)})`,
    `sum without () (x[step() + 5m] anchored, ${'x'.repeat(length)})`,
    `label_replace(x, "a", "b", "c", "${'x'.repeat(length)}") == bool 1`,
    `x[${'5m + '.repeat(length / 5)} step()] offset -(5m * 3)`,
    `rate(x[max_of(5m, ${'5m + '.repeat(length / 5)} step())] smoothed)`,
    `(x - - ${'y'.repeat(length)})[5m:step()] offset 5m`,
    `time() - -${'y'.repeat(length)}[5m:1h30m] @ end()`,
    `{__name__="a b", "c d"!~"${'e'.repeat(length)}", f=""} unless on () g`,
  ]),
];

function lengthen(random: Random, text: string): string {
  if (text.length > LINE) return text;
  const labels = Array.from({ length: 4 + Math.floor(random() * 4) }, (_, i) => `label_${i}`);
  return pick(random, [
    `sum by (${labels.join(', ')}) (${text}) / on (${labels.join(', ')}) group_left (x) (${text})`,
    `label_join(${text}, "dst", ",", ${labels.map(label => `"${label}"`).join(', ')})`,
    `topk(3, ${text}) or (${text}) or -(${text})`,
    `max_over_time((${text} + ${text})[1h:5m] offset 5m)`,
  ]);
}

describe.skipIf(!isNew)('Prometheus and we', () => {
  let peer: Peer;
  let api: FastifyInstance;

  beforeAll(async () => {
    peer = await startPeer();
    const engine = new Engine({ clock: new ManualClock(0), ...ALL_SWITCHES });
    api = newTestApi(0, { engine }).api;
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await peer?.stop();
  });

  it(`format ${QUERIES + EDGES.length} texts alike`, async () => {
    const random = newRandom(SEED);
    const generator = new QueryGenerator(random, { isV3: true, times: [1000, 1000.5] });
    const texts = Array.from({ length: QUERIES }, () =>
      lengthen(random, generator.query(random() < 0.5 ? 'range' : 'instant')),
    );
    const failures: string[] = [];
    let split = 0;
    for (const query of [...EDGES, ...texts]) {
      const body = new URLSearchParams({ query });
      const theirs = await fetch(`${peer.url}/api/v1/format_query`, { method: 'POST', body });
      const ours = await api.inject({ url: '/api/v1/format_query', query: { query } });
      const [expected, actual] = [await theirs.json(), ours.json()] as { data?: string }[];
      if (expected!.data?.includes('\n')) split++;
      if (expected!.data === actual!.data) continue;
      failures.push(`${query}\n${JSON.stringify(expected)}\n${JSON.stringify(actual)}`);
    }
    expect(failures.length, failures.slice(0, 8).join('\n\n')).toBe(0);
    expect(split).toBeGreaterThan(QUERIES / 2);
  }, 120_000);
});
