// What a plugin costs, measured from outside: its processes' CPU and memory over a number of collections.

import { readUsage } from '../process-usage.ts';
import type { Cost } from './check-report.ts';
import { CheckSink } from './check-sink.ts';
import type { Checked } from './checked.ts';

const COLLECT_MS = 10_000;

/** Collects so many times and says what that took; the plugin is configured. */
export async function measureCost(
  { connection, process, description, clock }: Checked,
  collections: number,
): Promise<Cost> {
  const sink = new CheckSink(description.name);
  let firstBytes = 0;
  let steadyBytes = 0;
  let known = 0;
  let wallMs = 0;
  let wallMsMax = 0;
  let time = clock.now();
  let before = readUsage(process.pid)?.cpuSeconds ?? 0;
  for (let i = 0; i <= collections; i++) {
    // The first is told apart: it carries the definitions.
    if (i === 1) before = readUsage(process.pid)?.cpuSeconds ?? before;
    const started = clock.monotonic();
    // A second apart, so that what has an interval of its own is asked as often as in an agent.
    time += 1000;
    const answer = await connection.collect(time, known, COLLECT_MS);
    const took = clock.monotonic() - started;
    await sink.take(answer, time);
    known = sink.batch.definitionSeq;
    if (i === 0) firstBytes = answer.length;
    else {
      steadyBytes = answer.length;
      wallMs += took;
      wallMsMax = Math.max(wallMsMax, took);
    }
  }
  const usage = readUsage(process.pid);
  return {
    startMs: process.startMs,
    collections,
    cpuMs: (((usage?.cpuSeconds ?? before) - before) * 1000) / collections,
    wallMs: wallMs / collections,
    wallMsMax,
    memoryBytes: usage?.memoryBytes ?? 0,
    series: sink.values.size,
    families: sink.families.size,
    firstBytes,
    steadyBytes,
  };
}
