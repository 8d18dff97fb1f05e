// What compaction and freezing cost the thread that collects and answers: three blocks of many series are
// joined, and the joined one is frozen, once in the calling thread and once in a worker; each way in a
// process of its own. `node test/bench/block-jobs.ts [series]`, after `npm run build`.

import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Labels } from '../../src/labels/labels.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { encodeColumns } from '../../src/storage/encode-columns.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { type SeriesChunks, writeBlock } from '../../src/tsdb/block/block-writer.ts';
import { UlidSource } from '../../src/tsdb/block/ulid.ts';
import { inProcessJobs } from '../../src/tsdb/block-jobs/block-job.ts';
import { workerJobs } from '../../src/tsdb/block-jobs/worker-jobs.ts';
import { openDb } from '../../src/tsdb/db.ts';

const HOUR = 3_600_000;
const STEP = 30_000;
/** Midnight, UTC. */
const START = 1_700_006_400_000;
const MIB = 1024 * 1024;

const ulids = new UlidSource(systemClock.now, bytes => void randomFillSync(bytes));

/** Counters and gauges of a fleet in label order, over two hours from `start`. */
function* seriesOf(count: number, start: number): Generator<SeriesChunks> {
  const columns = new SampleColumns();
  const samples = (2 * HOUR) / STEP;
  const times = Float64Array.from({ length: samples }, (_, i) => start + i * STEP);
  const values = new Float64Array(samples);
  for (let s = 0; s < count; s++) {
    for (let i = 0; i < samples; i++) {
      values[i] = s % 2 === 0 ? Math.floor(i * (1 + (s % 97))) : Math.sin(i + s);
    }
    columns.clear();
    columns.append(times, values, 0, samples);
    const number = String(s).padStart(7, '0');
    yield {
      labels: Labels.fromObject({ __name__: 'bench_metric', host: `h${s % 100}`, series: number }),
      chunks: encodeColumns(columns),
    };
  }
}

async function generate(dir: string, count: number): Promise<void> {
  // Two more, so that the first three fill their range and are neither the newest nor waited for.
  for (const [block, series] of [count, count, count, 1, 1, 1, 1].entries()) {
    const minTime = START + block * 2 * HOUR;
    const sorted = [...seriesOf(series, minTime)].sort((a, b) => a.labels.compareTo(b.labels));
    const maxTime = minTime + 2 * HOUR;
    await writeBlock(dir, sorted, { ulid: ulids.next(), minTime, maxTime, level: 1 });
  }
}

interface CpuUsage {
  readonly user: number;
  readonly system: number;
}

function cpuMs({ user, system }: CpuUsage): number {
  return (user + system) / 1000;
}

/** One way, measured in this process. */
async function measure(dir: string, way: string, freezes: boolean): Promise<void> {
  const db = await openDb(dir, {
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    fillRandom: bytes => void randomFillSync(bytes),
    retentionMs: 0,
    compactedRangeMaxMs: 6 * HOUR,
    coldAfterMs: freezes ? HOUR : 0,
    jobs: way === 'worker' ? workerJobs() : inProcessJobs,
  });
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  // In CPU time, since the wall clock of a busy machine says nothing of the program.
  let longest = 0;
  let turn = process.threadCpuUsage();
  const ticks = setInterval(() => {
    longest = Math.max(longest, cpuMs(process.threadCpuUsage(turn)));
    turn = process.threadCpuUsage();
  }, 1);
  const own = process.threadCpuUsage();
  const all = process.cpuUsage();
  const started = performance.now();
  await db.maintain();
  const wall = performance.now() - started;
  const ownCpu = process.threadCpuUsage(own);
  const allCpu = process.cpuUsage(all);
  clearInterval(ticks);
  clearInterval(watch);
  globalThis.gc?.();
  await new Promise(resolve => setTimeout(resolve, 200));
  const ms = (cpu: CpuUsage): string => cpuMs(cpu).toFixed(0).padStart(7);
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0).padStart(5);
  console.log(
    `${(freezes ? 'freeze' : 'compact').padEnd(8)}${way.padEnd(8)} wall ${wall.toFixed(0).padStart(6)} ms  ` +
      `main thread CPU ${ms(ownCpu)} ms  all CPU ${ms(allCpu)} ms  ` +
      `longest hold ${longest.toFixed(1).padStart(5)} ms  ` +
      `RSS before ${mib(before)}, peak ${mib(peak)}, after ${mib(process.memoryUsage().rss)} MiB`,
  );
  await db.close();
}

const [first, way, freezes] = process.argv.slice(2);
if (way !== undefined) await measure(first!, way, freezes === 'true');
else {
  const root = mkdtempSync(join(tmpdir(), 'outpost-bench-'));
  const self = fileURLToPath(import.meta.url);
  try {
    await generate(join(root, 'blocks'), Number(first ?? 20_000));
    for (const runs of ['here', 'worker']) {
      const dir = join(root, runs);
      cpSync(join(root, 'blocks'), dir, { recursive: true });
      for (const cold of ['false', 'true']) {
        const args = ['--expose-gc', self, dir, runs, cold];
        process.stdout.write(execFileSync(process.execPath, args));
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
