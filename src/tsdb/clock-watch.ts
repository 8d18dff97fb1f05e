// What a wall clock that steps does to a database: for a while nothing goes for its age, and samples that
// lie ahead of a clock set back are moved to blocks, so that new ones are taken again.

import { HOUR_MS } from './db-options.ts';
import { coveredUntil, type DbParts } from './db-parts.ts';
import { emptyHead } from './maintenance.ts';

/** A step of the wall clock larger than this holds back deletions by age … */
const CLOCK_STEP_MS = HOUR_MS;
/** … for so long, so that an operator can set the clock right first. */
const CLOCK_TRUST_MS = 24 * HOUR_MS;
/** A newest sample this far beyond what may be written shows that the clock stepped back. */
const CLOCK_SLACK_MS = 5 * 60_000;

/** Compares the wall clock with the one that never steps. */
export class ClockWatch {
  readonly #parts: DbParts;
  #offset: number;
  /** Monotonic time until which nothing is deleted for its age. */
  #doubtedUntil = Number.NEGATIVE_INFINITY;

  constructor(parts: DbParts) {
    const { clock } = parts.settings;
    this.#parts = parts;
    this.#offset = clock.now() - clock.monotonic();
  }

  /** False for a day after a large step: what seems old may not be. */
  get isTrusted(): boolean {
    return this.#parts.settings.clock.monotonic() >= this.#doubtedUntil;
  }

  /** Notices a step since the last call, and empties a head that lies ahead of the clock. */
  async check(): Promise<void> {
    const { settings, head, store } = this.#parts;
    const { clock, logger, futureMs } = settings;
    const offset = clock.now() - clock.monotonic();
    const step = offset - this.#offset;
    this.#offset = offset;
    if (Math.abs(step) > CLOCK_STEP_MS) {
      this.#doubtedUntil = clock.monotonic() + CLOCK_TRUST_MS;
      logger.warn('the clock stepped: nothing is deleted for its age for a day', { ms: step });
    }
    const latest = clock.now() + futureMs;
    const validFrom = coveredUntil(store.blocks, latest);
    const covered = Number.isFinite(head.minValidTime) && head.minValidTime > latest;
    if (head.maxTime <= latest + CLOCK_SLACK_MS && !covered) return;
    logger.warn('the newest samples lie ahead of the clock: the head is emptied', {
      newest: head.maxTime,
      now: clock.now(),
    });
    await emptyHead(this.#parts, validFrom);
  }
}
