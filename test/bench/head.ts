// What a sample and a series cost in the head: CPU per sample of commits of 500 samples with their log,
// and memory per series above the idle process. Run: node --expose-gc test/bench/head.ts [series] [samples]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { Head } from '../../src/tsdb/head/head.ts';
import { replayLog } from '../../src/tsdb/head/log-replay.ts';
import { LogWriter } from '../../src/tsdb/wal/log-writer.ts';

const SERIES = Number(process.argv[2] ?? 100_000);
const SAMPLES = Number(process.argv[3] ?? 120);
const COMPRESS = process.argv[4] === 'snappy';
const COMMIT = 500;
const STEP_MS = 15_000;
const START = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 7_200_000;

function newHead(): Head {
  return new Head({
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    chunkRangeMs: 7_200_000,
    seriesMax: 10_000_000,
    futureMs: 600_000,
  });
}

function resident(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

/** Label sets like node_exporter's: some labels shared by all, some by few, one of its own. */
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

async function fill(head: Head): Promise<void> {
  const refs = new Uint32Array(SERIES);
  const values = new Float64Array(SERIES);
  let started = performance.now();
  for (let from = 0; from < SERIES; from += COMMIT) {
    const appender = head.appender();
    for (let i = from; i < Math.min(from + COMMIT, SERIES); i++) {
      refs[i] = appender.series(labelsOf(i));
    }
    await appender.commit();
  }
  report('create a series', performance.now() - started, SERIES);
  let random = 42;
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  started = performance.now();
  for (let n = 0; n < SAMPLES; n++) {
    for (let i = 0; i < SERIES; i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      if (i % 4 !== 3) values[i]! += random >>> 24;
    }
    for (let from = 0; from < SERIES; from += COMMIT) {
      const to = Math.min(from + COMMIT, SERIES);
      const at = performance.now();
      const appender = head.appender();
      const time = Float64Array.of(START + n * STEP_MS + (from % 997));
      appender.appendColumns(refs.subarray(from, to), time, values.subarray(from, to), to - from);
      await appender.commit();
      latencies.push(performance.now() - at);
    }
  }
  const cpu = process.cpuUsage(cpuBefore);
  const total = latencies.reduce((sum, ms) => sum + ms, 0);
  report('commit a sample', total, SERIES * SAMPLES);
  report('cpu a sample (values made included)', (cpu.user + cpu.system) / 1000, SERIES * SAMPLES);
  latencies.sort((a, b) => a - b);
  console.log(`slowest commit: ${latencies.at(-1)!.toFixed(1)} ms`);
}

async function read(head: Head, name: string, sorted: boolean): Promise<void> {
  const started = performance.now();
  const querier = head.querier(START, START + SAMPLES * STEP_MS);
  const set = await querier.select([new Matcher('=~', '__name__', '.+')], { hints: { sorted } });
  const columns = new SampleColumns();
  let samples = 0;
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      columns.clear();
      series.samples(columns);
      samples += columns.length;
    }
  }
  querier.close();
  report(name, performance.now() - started, samples);
}

function report(what: string, ms: number, count: number): void {
  const each = ((ms * 1e6) / count).toFixed(1);
  console.log(`${what}: ${each} ns each, ${ms.toFixed(0)} ms for ${count}`);
}

const dir = mkdtempSync(join(tmpdir(), 'outpost-bench-'));
try {
  const idle = resident();
  const head = newHead();
  const monotonic = (): number => performance.now();
  head.log = LogWriter.open(dir, { logger: silentLogger, monotonic, compress: COMPRESS });
  await fill(head);
  console.log(`memory a series: ${((resident() - idle) / SERIES).toFixed(0)} bytes`);
  const { arena, index } = head;
  console.log(`  arena ${arena.bytesInUse / SERIES} in use, ${arena.bytesAllocated / SERIES} held`);
  console.log(`  index ${index.bytes / SERIES}, symbols ${index.symbols.size}`);
  await read(head, 'read a sample', false);
  await read(head, 'read a sample, ranking first', true);
  await read(head, 'read a sample, sorted', true);
  await head.log.close();
  const again = newHead();
  const started = performance.now();
  const { samples } = await replayLog(again, dir);
  report('replay a sample', performance.now() - started, samples);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
