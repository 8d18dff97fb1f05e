// What the engine itself costs, in a process of its own: memory of a series, replay, decoding, selecting
// from a block. Run with --expose-gc.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeXor, xorDecoder } from '../../src/kernels/xor.ts';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { encodeColumns } from '../../src/storage/encode-columns.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { type SeriesChunks, writeBlock } from '../../src/tsdb/block/block-writer.ts';
import type { Head } from '../../src/tsdb/head/head.ts';
import { replayLog } from '../../src/tsdb/head/log-replay.ts';
import { LogWriter } from '../../src/tsdb/wal/log-writer.ts';
import { tell } from './figures.ts';
import { seeded } from './generator.ts';
import { BLOCK_MS, heldBytes, newHead } from './stores.ts';

const GROUP = 'The engine alone';
const SERIES = 100_000;
const SELECTED = 20_000;
const SAMPLES = 60;
const COMMIT = 500;
const STEP_MS = 15_000;
const START = Math.floor(Date.now() / BLOCK_MS) * BLOCK_MS - BLOCK_MS;
const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

const dir = mkdtempSync(join(tmpdir(), 'bench-engine-'));
try {
  decoding(0);
  decoding(3);
  await head();
  await selecting();
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** Chunks of 120 samples of counters that grow by up to 150,000 each step. */
function decoding(lateMs: number): void {
  const random = seeded(5);
  const count = 240_000;
  const times = Float64Array.from(
    { length: count },
    (_, i) => START + i * STEP_MS + Math.floor(random() * (lateMs + 1)),
  );
  let value = 0;
  const values = Float64Array.from(
    { length: count },
    () => (value += Math.floor(random() * 150_000)),
  );
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < count; i += 120) chunks.push(encodeXor(times, values, i, i + 120));
  const decoder = xorDecoder();
  const rounds = 200;
  for (let round = 0; round < 10; round++) for (const chunk of chunks) decoder.decode(chunk);
  // Long enough for a clock that moves by some milliseconds.
  const started = process.threadCpuUsage();
  for (let round = 0; round < rounds; round++) for (const chunk of chunks) decoder.decode(chunk);
  const spent = spentMs(started);
  tell({
    group: GROUP,
    what:
      lateMs === 0
        ? 'decoding counters, scrapes on time'
        : `decoding counters, scrapes 0–${lateMs} ms late`,
    unit: 'M samples/s',
    ours: (count * rounds) / spent / 1000,
    target: 80,
    atLeast: true,
  });
}

function spentMs(started: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1000;
}

/** Some labels shared by all, some by few, as node_exporter's. */
function labelsOf(i: number): Labels {
  return Labels.fromPairs([
    ['__name__', `node_metric_${i % 200}_total`],
    ['cpu', String(Math.floor(i / 200) % 16)],
    ['device', `device-${Math.floor(i / 3200) % 10}`],
    ['instance', `host-${Math.floor(i / 500)}:9100`],
    ['job', 'node'],
    ['mode', ['user', 'system', 'idle'][i % 3]!],
  ]);
}

async function head(): Promise<void> {
  const { resident: idle } = await heldBytes();
  const first = newHead();
  const monotonic = (): number => performance.now();
  first.log = LogWriter.open(dir, { logger: silentLogger, monotonic, compress: true });
  await fill(first);
  tell({
    group: GROUP,
    what: `memory of an active series, ${SERIES} series with ${SAMPLES} samples in the head`,
    unit: 'KiB',
    ours: ((await heldBytes()).resident - idle) / SERIES / 1024,
    target: 1.5,
  });
  await first.log.close();
  const started = process.threadCpuUsage();
  const { samples } = await replayLog(newHead(), dir);
  tell({
    group: GROUP,
    what: `replay of a log of ${SERIES} series × ${SAMPLES} samples`,
    unit: 'M samples for a second of CPU',
    ours: samples / spentMs(started) / 1000,
    target: 2,
    atLeast: true,
  });
}

async function fill(to: Head): Promise<void> {
  const refs = new Uint32Array(SERIES);
  const values = new Float64Array(SERIES);
  const random = seeded(6);
  for (let n = 0; n < SAMPLES; n++) {
    for (let i = 0; i < SERIES; i++) if (i % 4 !== 3) values[i]! += Math.floor(random() * 256);
    for (let from = 0; from < SERIES; from += COMMIT) {
      const appender = to.appender();
      const end = from + COMMIT;
      if (n === 0) for (let i = from; i < end; i++) refs[i] = appender.series(labelsOf(i));
      const time = Float64Array.of(START + n * STEP_MS);
      appender.appendColumns(refs.subarray(from, end), time, values.subarray(from, end), COMMIT);
      await appender.commit();
    }
  }
}

/** Selecting series of a block and reading their chunks, while nobody asks for their labels. */
async function selecting(): Promise<void> {
  const range = { ulid: ULID, minTime: START, maxTime: START + BLOCK_MS, level: 1 };
  await writeBlock(dir, blockSeries(), range);
  const block = await Block.open(join(dir, ULID));
  const times: number[] = [];
  const held: number[] = [];
  for (let round = 0; round < 7; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const started = process.threadCpuUsage();
    const count = await selectAll(block);
    if (count !== SELECTED) throw new Error(`${count} series selected`);
    times.push(spentMs(started));
    held.push(Math.max(0, process.memoryUsage().heapUsed - before));
  }
  await block.close();
  const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[3]!;
  const what = `selecting ${SELECTED} series of a block, labels not asked for`;
  tell({ group: GROUP, what: `${what}: CPU`, unit: 'ms', ours: median(times) });
  tell({
    group: GROUP,
    what: `${what}: heap used by a series`,
    unit: 'bytes',
    ours: median(held) / SELECTED,
  });
}

async function selectAll(block: Block): Promise<number> {
  const querier = block.querier(START, START + BLOCK_MS - 1);
  const all = new Matcher('=~', '__name__', 'node_metric_.+');
  const set = await querier.select([all], { hints: { sorted: false } });
  let count = 0;
  for (let batch = await set.next(); batch; batch = await set.next()) count += batch.length;
  querier.close();
  return count;
}

function blockSeries(): SeriesChunks[] {
  const columns = new SampleColumns();
  return Array.from({ length: SELECTED }, (_, i) => labelsOf(i))
    .sort((a, b) => a.compareTo(b))
    .map((labels, i) => {
      columns.clear();
      for (let n = 0; n < 120; n++) columns.push(START + n * STEP_MS, i + n);
      return { labels, chunks: encodeColumns(columns) };
    });
}
