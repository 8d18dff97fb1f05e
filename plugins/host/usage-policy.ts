// What happens to a plugin that takes more memory or CPU than it may, as a pure function: it is collected
// from less often first where that helps, then started again.

import type { PluginLimits } from './plugin-spec.ts';
import type { ProcessUsage } from './process-usage.ts';

/** How often use is judged. */
export const WATCH_MS = 5_000;
/** Time after a start in which a plugin may use what CPU it likes. */
export const WARM_UP_MS = 30_000;
/** Judgements in a row over the CPU limit before something happens, and then each time again. */
const STRIKES = 3;
/** Intervals become this much longer at most; a plugin that is still over its limit then is started again. */
export const STRETCH_MAX = 8;

/** What is remembered between judgements of one process. */
export interface UsageHistory {
  readonly usage: ProcessUsage | null;
  /** Monotonic ms. */
  readonly at: number;
  /** Judgements in a row over the CPU limit. */
  readonly strikes: number;
  /** How many times longer the interval is than it should be. */
  readonly stretch: number;
  /** CPU in cores between the last two readings. */
  readonly cores: number;
}

/** A process that has just started. */
export function newUsageHistory(at: number): UsageHistory {
  return { usage: null, at, strikes: 0, stretch: 1, cores: 0 };
}

/** What to do; `history` is what to remember. */
export interface UsageVerdict {
  readonly kind: 'fine' | 'stretch' | 'restart';
  readonly why: string;
  readonly history: UsageHistory;
}

/** Judges a reading made at `now`, of a process that has run for `uptimeMs`. */
export function judgeUsage(
  before: UsageHistory,
  usage: ProcessUsage,
  limits: Pick<PluginLimits, 'memoryBytes' | 'cpuCores'>,
  { now, uptimeMs }: { readonly now: number; readonly uptimeMs: number },
): UsageVerdict {
  const seconds = (now - before.at) / 1000;
  const used = usage.cpuSeconds - (before.usage?.cpuSeconds ?? usage.cpuSeconds);
  const cores = seconds > 0 ? Math.max(0, used / seconds) : 0;
  const isOver = cores > limits.cpuCores && uptimeMs >= WARM_UP_MS;
  const strikes = isOver ? before.strikes + 1 : 0;
  const history = { ...before, usage, at: now, strikes, cores };
  if (usage.memoryBytes > limits.memoryBytes) {
    const why = `it has ${mebibytes(usage.memoryBytes)} of memory and may have ${mebibytes(limits.memoryBytes)}`;
    return { kind: 'restart', why, history };
  }
  if (strikes < STRIKES) return { kind: 'fine', why: '', history };
  const why = `it keeps ${cores.toFixed(2)} cores busy and may keep ${limits.cpuCores}`;
  if (before.stretch >= STRETCH_MAX) return { kind: 'restart', why, history };
  return {
    kind: 'stretch',
    why,
    history: { ...history, strikes: 0, stretch: before.stretch * 2 },
  };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
