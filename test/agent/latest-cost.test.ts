// What it costs to expose 1,500 series from the last collection. The bound is generous: other work runs beside.

import { expect, test } from 'vitest';
import { LatestTable } from '../../agent/latest.ts';
import { negotiateAnyExposition } from '../../src/exposition/negotiate.ts';
import { protobufFamilies } from '../../src/exposition/protobuf-families.ts';
import { Labels } from '../../src/labels/labels.ts';

const SERIES = 1500;
const ROUNDS = 50;
const CPU_MS_MAX = 5;

function latest(): LatestTable {
  const table = new LatestTable();
  for (let i = 0; i < 150; i++) {
    const name = `node_family_${i}_total`;
    table.family({ name, type: 'counter', help: 'Help.', unit: '', collector: 'x' });
  }
  for (let i = 0; i < SERIES; i++) {
    const labels = Labels.fromObject({ device: `eth${i}`, mode: 'x' });
    table.series(i, `node_family_${i % 150}_total`, labels);
  }
  const ids = Uint32Array.from({ length: SERIES }, (_, i) => i);
  table.collected(
    ids,
    Float64Array.from(ids, id => id * 1234.567),
    SERIES,
  );
  return table;
}

test.each(['text/plain', 'application/openmetrics-text;version=1.0.0'])(
  '%s of 1,500 series takes less than 5 ms',
  accept => {
    const table = latest();
    const exposition = negotiateAnyExposition(accept);
    const render = (): Buffer => Buffer.from(table.render(exposition, () => true));
    expect(perRound(render)).toBeLessThan(CPU_MS_MAX);
    expect(render().toString().split('\n').length).toBeGreaterThan(SERIES);
  },
);

test('protobuf of 1,500 series takes less than 5 ms, and a little for a slow machine', () => {
  const table = latest();
  const render = (): Uint8Array =>
    protobufFamilies(
      table.exposed(() => true),
      'underscores',
    );
  expect(perRound(render)).toBeLessThan(2 * CPU_MS_MAX);
  expect(render().length).toBeGreaterThan(SERIES * 20);
});

function perRound(render: () => unknown): number {
  for (let i = 0; i < ROUNDS; i++) render();
  const start = process.cpuUsage();
  for (let i = 0; i < ROUNDS; i++) render();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / ROUNDS;
}
