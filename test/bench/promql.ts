// What the engine itself costs: 20 k series × 240 samples at 15 s from memory, one hour at a 15 s step.
// Run with `node test/bench/promql.ts`.

import { Labels } from '../../src/labels/labels.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { MemoryStorage } from '../conformance/memory-storage.ts';

const SERIES = 20_000;
const SAMPLES = 240;
const STEP_MS = 15_000;
const ROUNDS = 3;

const QUERIES = [
  'sum by (x)(rate(m[5m]))',
  'm',
  'topk(10, m)',
  'avg_over_time(m[5m])',
  'm * 2 + m',
];

function fill(storage: MemoryStorage): void {
  const times = Float64Array.from({ length: SAMPLES }, (_, i) => i * STEP_MS);
  for (let s = 0; s < SERIES; s++) {
    const labels = Labels.fromObject({
      __name__: 'm',
      instance: `host-${s % 200}`,
      job: 'bench',
      x: String(s % 50),
      id: String(s),
    });
    let value = 0;
    const values = Float64Array.from({ length: SAMPLES }, (_, i) => {
      value += ((s * 31 + i * 17) % 97) / 7;
      return value;
    });
    storage.appendColumns(labels, times, values);
  }
}

async function main(): Promise<void> {
  const storage = new MemoryStorage();
  fill(storage);
  const engine = new Engine({ clock: systemClock });
  const range = { startMs: 0, endMs: (SAMPLES - 1) * STEP_MS, stepMs: STEP_MS };
  for (const query of QUERIES) {
    let best = Number.POSITIVE_INFINITY;
    let peak = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { stats } = await engine.range(storage, query, range);
      best = Math.min(best, stats.evalMs);
      peak = stats.peakSamples;
    }
    console.log(`${query.padEnd(28)} ${best.toFixed(0).padStart(6)} ms   ${peak} samples held`);
  }
}

await main();
