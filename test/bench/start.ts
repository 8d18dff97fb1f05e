// What a start and an end cost: replay of the log against the snapshot of the head, in time, CPU and peak
// memory, each in a process of its own. Run: node test/bench/start.ts [series] [samples]

import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Labels } from '../../src/labels/labels.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { startDb } from '../../src/tsdb/db.ts';

const COMMIT = 500;
const STEP_MS = 15_000;
const MIB = 1024 * 1024;

const [role, dir = '', seriesText = '', samplesText = ''] =
  process.argv[2] === 'fill' || process.argv[2] === 'open'
    ? process.argv.slice(2)
    : ['main', '', process.argv[2] ?? '100000', process.argv[3] ?? '120'];
const SERIES = Number(seriesText);
const SAMPLES = Number(samplesText);

function start(snapshotOnClose: boolean) {
  return startDb(dir, {
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    fillRandom: bytes => void randomFillSync(bytes),
    snapshotOnClose,
  });
}

/** MiB of the process: now, and at most so far. */
function memory(): { now: number; peak: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  return { now: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}

function settled(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return memory().now;
}

/** The longest stretch between two turns of the event loop, in ms of this thread's CPU: others' work is not in it. */
class LongestHold {
  #longest = 0;
  #running = true;

  constructor() {
    let before = process.threadCpuUsage();
    const turn = (): void => {
      const { user, system } = process.threadCpuUsage(before);
      this.#longest = Math.max(this.#longest, (user + system) / 1000);
      before = process.threadCpuUsage();
      if (this.#running) setImmediate(turn);
    };
    setImmediate(turn);
  }

  end(): number {
    this.#running = false;
    return this.#longest;
  }
}

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

async function fill(): Promise<void> {
  const idle = settled();
  const db = await start(true);
  await db.opened;
  const refs = new Uint32Array(SERIES);
  const values = new Float64Array(SERIES);
  for (let from = 0; from < SERIES; from += COMMIT) {
    const appender = db.appender();
    for (let i = from; i < Math.min(from + COMMIT, SERIES); i++)
      refs[i] = appender.series(labelsOf(i));
    await appender.commit();
  }
  const first = Date.now() - SAMPLES * STEP_MS;
  let random = 42;
  for (let n = 0; n < SAMPLES; n++) {
    for (let i = 0; i < SERIES; i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      if (i % 4 !== 3) values[i]! += random >>> 24;
    }
    for (let from = 0; from < SERIES; from += COMMIT) {
      const to = Math.min(from + COMMIT, SERIES);
      const appender = db.appender();
      const time = Float64Array.of(first + n * STEP_MS + (from % 997));
      appender.appendColumns(refs.subarray(from, to), time, values.subarray(from, to), to - from);
      await appender.commit();
    }
  }
  const head = settled() - idle;
  const hold = new LongestHold();
  const started = performance.now();
  await db.close();
  const ms = performance.now() - started;
  console.log(
    `steady head: ${head.toFixed(0)} MiB; closed with its snapshot in ${ms.toFixed(0)} ms, the loop held for ${hold.end().toFixed(0)} ms of CPU at most`,
  );
}

async function open(): Promise<void> {
  const idle = settled();
  const hold = new LongestHold();
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const db = await start(false);
  const early = performance.now() - started;
  await db.opened;
  const ms = performance.now() - started;
  const used = process.cpuUsage(cpu);
  const { peak } = memory();
  const held = hold.end();
  const head = settled() - idle;
  const samples =
    db.headSnapshot.kind === 'loaded' ? db.headSnapshot.report.samples : db.replay.samples;
  const perSecond = samples / ms / 1000;
  const ratio = (peak - idle) / head;
  console.log(
    [
      `${db.headSnapshot.kind === 'loaded' ? 'snapshot' : 'log'}: ${samples} samples in ${ms.toFixed(0)} ms (${perSecond.toFixed(1)} M/s)`,
      `CPU ${((used.user + used.system) / 1000).toFixed(0)} ms, blocks answer after ${early.toFixed(0)} ms`,
      `peak ${(peak - idle).toFixed(0)} MiB over idle, head ${head.toFixed(0)} MiB, ratio ${ratio.toFixed(2)}`,
      `the loop held for ${held.toFixed(0)} ms of CPU at most`,
    ].join('; '),
  );
  await db.close();
}

function main(): void {
  const target = mkdtempSync(join(tmpdir(), 'outpost-bench-'));
  const run = (child: string): void => {
    const args = ['--expose-gc', fileURLToPath(import.meta.url), child, target];
    spawnSync(process.execPath, [...args, seriesText, samplesText], { stdio: 'inherit' });
  };
  const size = (path: string): number => statSync(path).size / MIB;
  try {
    run('fill');
    const log = readdirSync(join(target, 'wal')).map(name => size(join(target, 'wal', name)));
    const bytes = log.reduce((sum, one) => sum + one, 0);
    const snapshot = size(join(target, 'head.snapshot'));
    console.log(`log ${bytes.toFixed(0)} MiB, snapshot ${snapshot.toFixed(0)} MiB`);
    run('open');
    run('open');
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

if (role === 'fill') await fill();
else if (role === 'open') await open();
else main();
