// What a process and its children have used, from /proc. Each reading is a few small files; a process that is
// gone reads as null.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The kernel's unit of CPU time in /proc, fixed for user space (USER_HZ). */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
/** Processes looked at below one plugin. */
const PROCESSES_MAX = 64;

/** Use of a process tree. */
export interface ProcessUsage {
  /** CPU time of the process and of its children, ended ones that were waited for included. */
  readonly cpuSeconds: number;
  /** Resident bytes of all that live. */
  readonly memoryBytes: number;
  readonly processes: number;
}

/** Reads the use of `pid` and all below it; null where the process is gone. */
export function readUsage(pid: number, procfs: string = '/proc'): ProcessUsage | null {
  let cpuSeconds = 0;
  let memoryBytes = 0;
  const pids = [pid];
  for (let i = 0; i < pids.length && i < PROCESSES_MAX; i++) {
    const one = readOne(pids[i]!, procfs);
    if (one === null) {
      if (i === 0) return null;
      continue;
    }
    cpuSeconds += one.cpuSeconds;
    memoryBytes += one.memoryBytes;
    pids.push(...childrenOf(pids[i]!, procfs));
  }
  return { cpuSeconds, memoryBytes, processes: pids.length };
}

/** One letter as in ps(1), 'D' for a process that waits in the kernel; null where it is gone. */
export function processState(pid: number, procfs: string = '/proc'): string | null {
  return statOf(pid, procfs)?.[0] ?? null;
}

function readOne(pid: number, procfs: string) {
  const stat = statOf(pid, procfs);
  if (stat === null) return null;
  // Fields 14 to 17 of proc_pid_stat(5): utime, stime, cutime, cstime; the first here is field 3. 24 is rss.
  const ticks = stat.slice(11, 15).reduce((sum, text) => sum + Number(text), 0);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, memoryBytes: Number(stat[21]) * PAGE_BYTES };
}

/** The fields behind the command's name, which may itself hold spaces and parentheses. */
function statOf(pid: number, procfs: string): string[] | null {
  try {
    const text = readFileSync(join(procfs, String(pid), 'stat'), 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function childrenOf(pid: number, procfs: string): number[] {
  try {
    const tasks = join(procfs, String(pid), 'task');
    return readdirSync(tasks)
      .map(task => readFileSync(join(tasks, task, 'children'), 'utf8'))
      .flatMap(text => text.split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
}
