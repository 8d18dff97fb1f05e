// ns a sample of the kernels beside their plain TypeScript twin, in one run: node test/bench/kernels.ts

import { SeriesArena } from '../../src/kernels/series-arena.ts';
import { encodeXor, xorDecoder } from '../../src/kernels/xor.ts';
import { decodeXorTwin, encodeXorTwin } from '../src/kernels/xor-twin.ts';

const SAMPLES = 240_000;
const CHUNK = 120;
const SERIES = 2_000;
const START = 1_700_000_000_000;

/** Value of sample i by kind of series; the noise is a hash of i, so runs are alike. */
const KINDS: Readonly<Record<string, (i: number) => number>> = {
  constant: () => 1,
  counter: i => i * 7 + noise(i, 4),
  'integer gauge': i => noise(i, 12),
  'float gauge': i => Math.sin(i) * 100,
};

function noise(i: number, bits: number): number {
  return Math.imul(i, 0x9e3779b1) >>> (32 - bits);
}

/** The best of several runs, in ns a sample. */
function measure(samples: number, runs: number, work: () => void): number {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = process.hrtime.bigint();
    work();
    best = Math.min(best, Number(process.hrtime.bigint() - start));
  }
  return best / samples;
}

function row(name: string, kernel: number, twin: number): void {
  const columns = [
    name.padEnd(28),
    kernel.toFixed(1).padStart(8),
    twin.toFixed(1).padStart(8),
    `${(twin / kernel).toFixed(0)}×`.padStart(6),
  ];
  console.log(columns.join(' '));
}

function codec(kind: string, jitterMs: number): void {
  const times = Float64Array.from(
    { length: SAMPLES },
    (_, i) => START + i * 15_000 + (noise(i, 8) % (jitterMs + 1)),
  );
  const values = Float64Array.from({ length: SAMPLES }, (_, i) => KINDS[kind]!(i));
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < SAMPLES; i += CHUNK) chunks.push(encodeXor(times, values, i, i + CHUNK));
  const decoder = xorDecoder();
  row(
    `decode ${kind}, jitter ${jitterMs}`,
    measure(SAMPLES, 9, () => {
      for (const chunk of chunks) decoder.decode(chunk);
    }),
    measure(SAMPLES, 2, () => {
      for (const chunk of chunks) decodeXorTwin(chunk);
    }),
  );
  row(
    `encode ${kind}, jitter ${jitterMs}`,
    measure(SAMPLES, 9, () => {
      for (let i = 0; i < SAMPLES; i += CHUNK) encodeXor(times, values, i, i + CHUNK);
    }),
    measure(SAMPLES, 2, () => {
      for (let i = 0; i < SAMPLES; i += CHUNK)
        encodeXorTwin(times.slice(i, i + CHUNK), values.slice(i, i + CHUNK));
    }),
  );
}

/** The head's three steps, each over batches of one sample for each of SERIES series. */
function arena(rounds: number, report: boolean): void {
  const store = new SeriesArena({ chunkRangeMs: 7_200_000 });
  for (let slot = 0; slot < SERIES; slot++) store.create(slot + 1);
  const kinds = Object.values(KINDS);
  const spent = { judge: 0, encode: 0, apply: 0 };
  for (let round = 0; round < rounds; round++) {
    const batch = store.batch(SERIES);
    for (let slot = 0; slot < SERIES; slot++) {
      batch.slots[slot] = slot;
      batch.times[slot] = START + round * 15_000;
      batch.values[slot] = kinds[slot % kinds.length]!(round + slot);
    }
    const start = performance.now();
    store.judge(SERIES, 0);
    const judged = performance.now();
    store.encodeSamples(SERIES);
    const encoded = performance.now();
    store.apply(SERIES);
    spent.judge += judged - start;
    spent.encode += encoded - judged;
    spent.apply += performance.now() - encoded;
  }
  if (!report) return;
  for (const [name, ms] of Object.entries(spent))
    console.log(
      `${`arena ${name}`.padEnd(28)} ${((ms * 1e6) / SERIES / rounds).toFixed(1).padStart(8)}`,
    );
  console.log(`arena bytes a series: ${Math.round(store.bytesInUse / SERIES)}`);
}

console.log('ns a sample'.padEnd(28), 'kernel'.padStart(8), 'twin'.padStart(8));
for (const kind of Object.keys(KINDS)) for (const jitterMs of [0, 20]) codec(kind, jitterMs);
// The first run lets the engine compile what is hot.
arena(1_000, false);
arena(480, true);
