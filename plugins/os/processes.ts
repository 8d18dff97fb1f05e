// Processes and threads by state, from /proc/<pid>/stat. A pass over very many is cut into slices, so that
// other collectors go on meanwhile.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import { flag, number } from '../sdk/options.ts';
import { ProcessStat } from './process-stat.ts';

/** Files read before others have their turn; some 2 ms. */
const SLICE = 400;

export const processes = defineCollector({
  name: 'processes',
  help: 'Processes and threads by state, and their limits.',
  defaultEnabled: true,
  intervalMs: 15_000,
  options: {
    threadStates: flag('Count threads by state too, which reads a file for each thread.', false),
    readsMax: number('Files read in a pass; processes and threads beyond have no state.', 50_000, {
      min: 1,
      max: 10_000_000,
    }),
  },
  open({ files, metrics, options }) {
    const gauge = (name: string, help: string) =>
      metrics.gauge({ name: `node_processes_${name}`, help }).with();
    const threads = gauge('threads', 'Threads there are.');
    const maxThreads = gauge('max_threads', 'Threads there can be.');
    const pids = gauge('pids', 'Processes there are.');
    const maxPids = gauge('max_processes', 'Process numbers there are.');
    const state = metrics.gauge({
      name: 'node_processes_state',
      help: 'Processes in the state.',
      labels: ['state'],
    });
    const threadState = metrics.gauge({
      name: 'node_processes_threads_state',
      help: 'Threads in the state.',
      labels: ['thread_state'],
    });
    const limits = [
      [files.proc('sys/kernel/threads-max'), maxThreads],
      [files.proc('sys/kernel/pid_max'), maxPids],
    ] as const;
    return async () => {
      const census = await count(files, options);
      threads.set(census.threads);
      pids.set(census.processes);
      for (const [name, value] of census.states) state.with(name).set(value);
      for (const [name, value] of census.threadStates) threadState.with(name).set(value);
      for (const [file, series] of limits) {
        const value = file.readNumber();
        if (Number.isNaN(value)) throw new Error(`a number expected in ${file.path}`);
        series.set(value);
      }
    };
  },
});

interface Census {
  processes: number;
  threads: number;
  readonly states: Map<string, number>;
  readonly threadStates: Map<string, number>;
}

async function count(
  files: Files,
  { threadStates, readsMax }: { readonly threadStates: boolean; readonly readsMax: number },
): Promise<Census> {
  const census: Census = { processes: 0, threads: 0, states: new Map(), threadStates: new Map() };
  const stat = new ProcessStat();
  const root = files.roots.procfs;
  let reads = 0;
  for (const entry of readdirSync(root)) {
    if (!isNumber(entry) || ++reads > readsMax) continue;
    if (reads % SLICE === 0) await nextTurn();
    if (!stat.read(`${root}/${entry}/stat`)) continue;
    census.processes++;
    census.threads += stat.threads;
    add(census.states, stat.state);
    if (!threadStates) continue;
    add(census.threadStates, stat.state);
    if (stat.threads < 2) continue;
    for (const thread of files.list(join(root, entry, 'task'))) {
      if (thread === entry || ++reads > readsMax) continue;
      if (reads % SLICE === 0) await nextTurn();
      if (stat.read(`${root}/${entry}/task/${thread}/stat`)) add(census.threadStates, stat.state);
    }
  }
  return census;
}

function isNumber(entry: string): boolean {
  const first = entry.charCodeAt(0);
  return first >= 48 && first <= 57;
}

function add(counts: Map<string, number>, state: string): void {
  counts.set(state, (counts.get(state) ?? 0) + 1);
}
