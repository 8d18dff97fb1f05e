// How long one turn of the event loop holds the thread, by what it does: CPU time of the thread, which other
// load on the machine does not change, beside the delay that perf_hooks sees, which it does. In a process of
// its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ManualClock, systemClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { RemoteWriteReceiver } from '../../src/remote/receiver.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { holdsOf } from '../fakes/loop-probe.ts';
import { tell } from './figures.ts';
import { hostSeries, remoteWriteBody, seeded } from './generator.ts';
import { BLOCK_MS, newDb } from './stores.ts';

const GROUP = 'The event loop: longest turn';
const HOSTS = 40;
const STEP_MS = 15_000;
const CHUNK = 60;
const HUGE_HOSTS = 240;
const START = Math.floor(1_700_000_000_000 / BLOCK_MS) * BLOCK_MS;
const HEADERS = { contentType: 'application/x-protobuf', contentEncoding: 'snappy' };

const dir = mkdtempSync(join(tmpdir(), 'bench-holds-'));
const clock = new ManualClock(START);
// Slices are measured by the clock; the time of samples is its own.
const ticking = {
  now: () => clock.now(),
  monotonic: () => performance.now(),
  after: systemClock.after,
};
const db = await newDb(dir, ticking);
const receiver = new RemoteWriteReceiver({
  appendable: db,
  clock: ticking,
  registry: new Registry(),
  seed: 1,
});
const random = seeded(3);
const groups = Array.from({ length: HOSTS }, (_, host) => hostSeries(host));
const hugeSeries = Array.from({ length: HUGE_HOSTS }, (_, i) => hostSeries(1000 + i)).flat();
let time = START;

try {
  await watch('ingest: first scrape of 20,000 series', bodies(1, 1), send);
  await watch('ingest: live scrapes', bodies(20, 1), send);
  await watch(`ingest: ${CHUNK} samples a series`, bodies(12, CHUNK), send);
  await watch('ingest: one body of 31 MiB, new series', hugeBodies(0), send);
  await watch('ingest: one body of 31 MiB, known series', hugeBodies(1), send);
  await watch('query: sum of the newest values of 20,000 series', [], () =>
    query('sum(last_over_time({instance=~"host-..?:9100"}[5m]))'),
  );
  await watch('query: count of 20,000 series by name', [], () =>
    query('count by (__name__) ({instance=~"host-..?:9100"})'),
  );
  await watch('flush of the head to blocks', [], () => db.maintain());
  await watch('ingest: the next hours', bodies(30, CHUNK), send);
  await watch('flush and compaction', [], () => db.maintain());
} finally {
  await db.close();
  rmSync(dir, { recursive: true, force: true });
}

async function watch(
  what: string,
  work: readonly Uint8Array[],
  run: (work: readonly Uint8Array[]) => Promise<unknown>,
): Promise<void> {
  globalThis.gc?.();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const { longest } = await holdsOf(() => run(work));
  delay.disable();
  tell({ group: GROUP, what: `${what}: CPU`, unit: 'ms', ours: longest, target: 20 });
  tell({
    group: GROUP,
    what: `${what}: delay seen by perf_hooks`,
    unit: 'ms',
    ours: delay.max / 1e6,
  });
}

/** The next rounds of samples of all hosts, one body for each host. */
function bodies(rounds: number, samples: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const group of groups) out.push(remoteWriteBody(group, time, STEP_MS, samples, random));
    time += samples * STEP_MS;
  }
  clock.advance(time - clock.now());
  return out;
}

function hugeBodies(turn: number): Uint8Array[] {
  const first = time - (14 - turn * 7) * STEP_MS;
  return [remoteWriteBody(hugeSeries, first, STEP_MS, 7, random)];
}

async function send(all: readonly Uint8Array[]): Promise<void> {
  for (const body of all) {
    const { status, message } = await receiver.receive(body, HEADERS);
    if (status >= 300) throw new Error(`answer ${status}: ${message}`);
    // As between two requests of a connection.
    await new Promise(resolve => setImmediate(resolve));
  }
}

async function query(text: string): Promise<void> {
  const engine = new Engine({ clock: systemClock });
  const range = { startMs: time - 3_600_000, endMs: time, stepMs: 60_000 };
  const result = await engine.range(db, text, range);
  result.release();
}
