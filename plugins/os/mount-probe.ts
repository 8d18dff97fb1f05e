// Asks for the numbers of file systems without ever waiting for a dead one. A statfs that does not return
// holds one of libuv's four pool threads for as long as its server is away, so a mount has at most one call
// in flight and one thread always stays free.

import type { StatsFs } from 'node:fs';
import type { CollectorContext } from '../sdk/collector.ts';

type Clock = CollectorContext['clock'];

/** statfs(2) with a callback, as node:fs has it. */
export type AskStatfs = (
  path: string,
  done: (error: NodeJS.ErrnoException | null, stats: StatsFs) => void,
) => void;

/** Calls in flight at once, over all mounts. */
const IN_FLIGHT_MAX = 3;
/** A collection waits this long for calls it has just made; mostly they are back by then. */
const PATIENCE_MS = 100;

/** What is known of a mount: its numbers, what went wrong, or nothing yet. */
export type MountAnswer =
  | { readonly stats: StatsFs }
  | { readonly problem: string }
  | { readonly unknown: true };

const UNKNOWN: MountAnswer = { unknown: true };
const TIMED_OUT: MountAnswer = { problem: 'mountpoint timeout' };

/** The threads that may be lost to dead mounts, shared by all probes. */
export class ProbePool {
  readonly ask: AskStatfs;
  readonly clock: Clock;
  /** After this long without an answer a mount counts as dead. */
  readonly timeoutMs: number;
  #inFlight = 0;

  constructor(ask: AskStatfs, clock: Clock, timeoutMs: number) {
    this.ask = ask;
    this.clock = clock;
    this.timeoutMs = timeoutMs;
  }

  take(): boolean {
    if (this.#inFlight >= IN_FLIGHT_MAX) return false;
    this.#inFlight++;
    return true;
  }

  give(): void {
    this.#inFlight--;
  }
}

/** One mount that may hang. */
export class MountProbe {
  readonly #pool: ProbePool;
  readonly #path: string;
  #asking = false;
  #answer: MountAnswer = UNKNOWN;
  /** When an answer was last there, or the first question. */
  #heardAt: number;

  constructor(pool: ProbePool, path: string) {
    this.#pool = pool;
    this.#path = path;
    this.#heardAt = pool.clock.monotonic();
  }

  /** Asks, unless a question is open; the promise resolves with the answer, and not at all without one. */
  ask(): Promise<void> | null {
    if (this.#asking || !this.#pool.take()) return null;
    this.#asking = true;
    return new Promise(resolve => {
      this.#pool.ask(this.#path, (error, stats) => {
        this.#asking = false;
        this.#pool.give();
        this.#heardAt = this.#pool.clock.monotonic();
        this.#answer = error ? { problem: problemText(error) } : { stats };
        resolve();
      });
    });
  }

  /** The newest answer; a timeout once none has come for too long. */
  get answer(): MountAnswer {
    const silence = this.#pool.clock.monotonic() - this.#heardAt;
    return silence > this.#pool.timeoutMs ? TIMED_OUT : this.#answer;
  }
}

/** Asks all mounts and waits a moment for the answers. */
export async function askAll(probes: readonly MountProbe[], clock: Clock): Promise<void> {
  const answers = probes.map(probe => probe.ask()).filter(answer => answer !== null);
  if (answers.length === 0) return;
  let cancel = (): void => {};
  const patience = new Promise<void>(resolve => {
    cancel = clock.after(PATIENCE_MS, resolve);
  });
  await Promise.race([Promise.all(answers), patience]);
  cancel();
}

/** "EACCES: permission denied, statfs '/x'" as the label value "permission denied". */
export function problemText(error: Error): string {
  return /^E\w+: (.*), \w+( '|$)/.exec(error.message)?.[1] ?? error.message;
}
