// What starting and ending processes needs from this machine, found once; tests put others in their place.

import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { findCommand } from './command-file.ts';
import { type CgroupTree, openCgroups } from './plugin-cgroup.ts';
import { type ProcessUsage, readUsage } from './process-usage.ts';

/** Niceness of plugins: work goes before watching it. */
const NICENESS = 10;
/** Added to the agent's own score, so that a plugin dies before the agent and before what it watches. */
const OOM_SCORE = 500;
const OOM_SCORE_MAX = 1000;

/** The machine as the plugin host uses it. */
export interface ProcessTools {
  /** Path of setpriv(1), which lets a plugin die with the agent; null where there is none. */
  readonly setpriv: string | null;
  readonly uid: number;
  /** Null where no cgroups are delegated to the agent. */
  readonly cgroups: CgroupTree | null;
  /** Signals a process that leads a group of its own, and all of that group. */
  kill(child: ChildProcess, signal: NodeJS.Signals): void;
  /** Makes a new process give way to others; does what is permitted. */
  makeModest(pid: number): void;
  usage(pid: number): ProcessUsage | null;
}

/** This machine's. With `cgroups`, the agent moves to a group below its own where that is delegated. */
export function systemTools(
  options: { readonly cgroups?: boolean; readonly onNoCgroups?: (why: string) => void } = {},
): ProcessTools {
  const setpriv = findCommand('setpriv');
  return {
    setpriv: 'path' in setpriv ? setpriv.path : null,
    uid: process.getuid?.() ?? 0,
    cgroups: options.cgroups ? ownCgroups(options.onNoCgroups ?? (() => {})) : null,
    kill: killGroup,
    makeModest,
    usage: pid => readUsage(pid),
  };
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}

function ownCgroups(onNone: (why: string) => void): CgroupTree | null {
  let selfCgroup = '';
  try {
    selfCgroup = readFileSync('/proc/self/cgroup', 'utf8');
  } catch {
    // Not Linux; openCgroups says so.
  }
  const tree = openCgroups({
    root: '/sys/fs/cgroup',
    selfCgroup,
    pid: process.pid,
    uid: process.getuid?.() ?? 0,
  });
  if (!('problem' in tree)) return tree;
  onNone(tree.problem);
  return null;
}

function makeModest(pid: number): void {
  try {
    setPriority(pid, NICENESS);
  } catch {
    // It has ended already, or the agent itself is nicer than this.
  }
  try {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
    const score = Math.min(OOM_SCORE_MAX, own + OOM_SCORE);
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
  } catch {
    // Not Linux, or not permitted in this sandbox.
  }
}
