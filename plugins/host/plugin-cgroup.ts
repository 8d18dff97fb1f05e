// Groups of processes with limits the kernel holds (cgroup v2), below the agent's own group where that was
// delegated to it. Plain writes to files; where the first one fails, there are no groups and the agent watches
// over its plugins itself.

import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PluginLimits } from './plugin-spec.ts';

const CONTROLLERS = ['memory', 'cpu', 'pids'] as const;
/** The leaf the agent itself moves to: a group with controllers for its children holds no processes. */
const OWN_LEAF = 'agent';
const PREFIX = 'plugin-';
const CPU_PERIOD_US = 100_000;

/** Where groups are made. */
export interface CgroupTree {
  /** A new group for one plugin; what it had before is replaced. Throws system errors. */
  make(plugin: string, limits: PluginLimits): PluginCgroup;
}

/** The group of one plugin. */
export class PluginCgroup {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Moves a process in; its later children are born there. Throws system errors. */
  add(pid: number): void {
    writeFileSync(join(this.#path, 'cgroup.procs'), String(pid));
  }

  /** Processes the kernel killed for want of memory. */
  get outOfMemoryKills(): number {
    try {
      const text = readFileSync(join(this.#path, 'memory.events'), 'utf8');
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
    } catch {
      return 0;
    }
  }

  /** Kills what is left in the group and removes it. Never throws: a group that is not empty stays. */
  remove(): void {
    try {
      writeFileSync(join(this.#path, 'cgroup.kill'), '1');
    } catch {
      // Linux before 5.14 has no such file.
    }
    try {
      rmdirSync(this.#path);
    } catch {
      // Something in it takes longer to die; the next start makes the group its own.
    }
  }
}

export interface CgroupOptions {
  /** Where cgroup v2 is mounted. */
  readonly root: string;
  /** The text of /proc/self/cgroup. */
  readonly selfCgroup: string;
  readonly pid: number;
  readonly uid: number;
}

/** Makes the agent's own group one that can have limited children; a sentence where that cannot be. */
export function openCgroups(options: CgroupOptions): CgroupTree | { readonly problem: string } {
  const own = /^0::(\/.*)$/m.exec(options.selfCgroup)?.[1];
  if (own === undefined) return { problem: 'there is no cgroup v2' };
  // systemd may have put the agent into a leaf of its own already (DelegateSubgroup=).
  const isLeaf = basename(own) === OWN_LEAF;
  const path = join(options.root, isLeaf ? dirname(own) : own);
  const problem = isLeaf ? null : delegationProblem(path, own, options);
  if (problem !== null) return { problem };
  try {
    if (!isLeaf) {
      mkdirSync(join(path, OWN_LEAF), { recursive: true });
      writeFileSync(join(path, OWN_LEAF, 'cgroup.procs'), String(options.pid));
    }
    const available = readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ');
    const missing = CONTROLLERS.filter(name => !available.includes(name));
    if (missing.length > 0) return { problem: `controllers are missing: ${missing.join(', ')}` };
    writeFileSync(join(path, 'cgroup.subtree_control'), CONTROLLERS.map(c => `+${c}`).join(' '));
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  return { make: (plugin, limits) => makeGroup(join(path, PREFIX + plugin), limits) };
}

/** Root may write anywhere, so what is the agent's is told by who else lives there. */
function delegationProblem(path: string, own: string, { uid, pid }: CgroupOptions): string | null {
  if (own === '/') return 'the agent is in the root group';
  try {
    if (statSync(path).uid !== uid) return `${path} belongs to another user`;
    const others = readFileSync(join(path, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter(line => line !== '' && Number(line) !== pid);
    return others.length === 0 ? null : `other processes share ${path}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function makeGroup(path: string, { memoryBytes, cpuCores, pids }: PluginLimits): PluginCgroup {
  mkdirSync(path, { recursive: true });
  const group = new PluginCgroup(path);
  const write = (file: string, text: string): void => writeFileSync(join(path, file), text);
  const orMax = (value: number): string => (value === Infinity ? 'max' : String(value));
  write('memory.max', orMax(memoryBytes));
  write('cpu.max', `${orMax(Math.round(cpuCores * CPU_PERIOD_US))} ${CPU_PERIOD_US}`);
  write('pids.max', orMax(pids));
  // All of a plugin goes when one of it has to: half a plugin answers nothing.
  if (readdirSync(path).includes('memory.oom.group')) write('memory.oom.group', '1');
  return group;
}
