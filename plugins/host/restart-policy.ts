// When a plugin that ended is started again: soon at first, ever later while it keeps ending, and not for
// an hour when it ends again and again. Full jitter keeps a fleet from restarting in step.

/** First and longest wait before a restart. */
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_MAX_MS = 5 * 60_000;
/** A plugin that ran this long has earned a fresh start. */
export const HEALTHY_AFTER_MS = 10 * 60_000;
/** This many exits within the window are too many. */
export const EXITS_MAX = 5;
export const EXITS_WINDOW_MS = 10 * 60_000;
/** A quarantined plugin is tried again after this long. */
export const QUARANTINE_MS = 60 * 60_000;

/** What is remembered between restarts. */
export interface RestartHistory {
  /** Restarts since the plugin was last healthy. */
  readonly attempt: number;
  /** When it ended, monotonic ms, oldest first, within the window. */
  readonly exits: readonly number[];
  /** True where it was quarantined and is only being tried. */
  readonly isProbe: boolean;
}

export const NO_RESTARTS: RestartHistory = { attempt: 0, exits: [], isProbe: false };

/** What to do now and what to remember. */
export interface RestartPlan {
  readonly kind: 'retry' | 'quarantine';
  readonly delayMs: number;
  readonly history: RestartHistory;
}

/** Leaves the plugin alone for long, and tries it once after that. */
export const QUARANTINE: RestartPlan = {
  kind: 'quarantine',
  delayMs: QUARANTINE_MS,
  history: { ...NO_RESTARTS, isProbe: true },
};

/**
 * Plans the restart of a plugin that ended at `now` (monotonic ms) after `uptimeMs`. `random` is from 0 to
 * below 1.
 */
export function planRestart(
  history: RestartHistory,
  now: number,
  uptimeMs: number,
  random: number,
): RestartPlan {
  const before = uptimeMs >= HEALTHY_AFTER_MS ? NO_RESTARTS : history;
  const exits = [...before.exits.filter(at => now - at < EXITS_WINDOW_MS), now];
  if (before.isProbe || exits.length >= EXITS_MAX) return QUARANTINE;
  const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** before.attempt);
  return {
    kind: 'retry',
    delayMs: Math.floor(random * longest),
    history: { attempt: before.attempt + 1, exits, isProbe: false },
  };
}
