// One process at a time owns a data directory. Node has no flock, so the owner writes its pid and the
// start time that distinguishes it from a later process of the same pid; a lock of a dead process is
// taken over. A Prometheus that holds its flock on the file is seen in /proc/locks.

import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutpostError } from '../lifecycle/errors.ts';

const LOCK_FILE = 'lock';
const ATTEMPTS = 5;

/** A held lock. */
export interface DirectoryLock {
  /** Gives the directory free; safe more than once. */
  release(): void;
}

/** Takes the directory. Throws `locked`, naming the owner, where another live process has it. */
export function lockDirectory(dir: string): DirectoryLock {
  const path = join(dir, LOCK_FILE);
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid), boot: bootId() });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path, own)) return { release: () => release(path, own) };
    const found = readText(path);
    if (found === null) continue;
    const owner = liveOwner(path, found);
    if (owner !== null) throw locked(dir, owner);
    setAside(path, found);
  }
  throw locked(dir, 'a process that is just starting');
}

function create(path: string, own: string): boolean {
  try {
    writeFileSync(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function release(path: string, own: string): void {
  if (readText(path) === own) rmSync(path, { force: true });
}

/** Moves a dead owner's lock away; should it have become a live one meanwhile, puts it back. */
function setAside(path: string, dead: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) !== dead) linkSync(aside, path);
  rmSync(aside, { force: true });
}

/** Who holds the lock, null where nobody alive does. */
function liveOwner(path: string, content: string): string | null {
  const flock = flockOwner(path);
  if (flock !== null) return `process ${flock}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    return null; // Prometheus leaves an empty file behind
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { pid, started, boot } = parsed as { pid?: unknown; started?: unknown; boot?: unknown };
  if (typeof pid !== 'number' || !isAlive(pid)) return null;
  const sameProcess = boot === bootId() && started === startOf(pid);
  return sameProcess ? `process ${pid}` : null;
}

/** The pid that holds a flock on the file, null where nobody does or the host does not tell. */
function flockOwner(path: string): string | null {
  const locks = readText('/proc/locks');
  if (locks === null) return null;
  const { ino } = statSync(path);
  for (const line of locks.split('\n')) {
    const [, , , , pid, file] = line.trim().split(/\s+/);
    if (file?.split(':')[2] === String(ino) && pid !== undefined) return pid;
  }
  return null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** When a process started, in the kernel's ticks; '' where the host does not tell. */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the command's name in brackets, which may hold anything.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not there, or not on this kind of host
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function locked(dir: string, owner: string): OutpostError {
  return new OutpostError(
    'locked',
    `open data directory ${dir}: ${owner} is using it; stop it or choose another directory`,
  );
}
