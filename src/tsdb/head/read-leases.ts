// Readers that are under way, so that truncation does not take away what they are about to read. A reader
// that holds on for too long is cut off instead: it fails with an error, it never sees half a truth.

import type { Clock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';

/** One reader's claim on samples from `minTime` on. */
export class ReadLease {
  readonly minTime: number;
  readonly #leases: Set<ReadLease>;
  #revoked = false;

  constructor(minTime: number, leases: Set<ReadLease>) {
    this.minTime = minTime;
    this.#leases = leases;
    leases.add(this);
  }

  /** Throws `unavailable` where the samples may be gone. */
  check(): void {
    if (this.#revoked) {
      throw new OutpostError(
        'unavailable',
        'read the head: its oldest samples have moved to a block meanwhile, ask again',
      );
    }
  }

  /** Gives the claim up; safe more than once. */
  release(): void {
    this.#leases.delete(this);
  }

  /** Cuts the reader off. */
  revoke(): void {
    this.#revoked = true;
    this.release();
  }
}

/** The readers of a head. */
export class ReadLeases {
  readonly #leases = new Set<ReadLease>();

  /** Readers under way. */
  get size(): number {
    return this.#leases.size;
  }

  take(minTime: number): ReadLease {
    return new ReadLease(minTime, this.#leases);
  }

  /**
   * Waits until no reader that is there now can see samples before `time`, at most `timeoutMs`; who is
   * left then is cut off. Returns how many were.
   */
  async drain(time: number, clock: Clock, timeoutMs: number): Promise<number> {
    const waiting = [...this.#leases].filter(lease => lease.minTime < time);
    const deadline = clock.monotonic() + timeoutMs;
    const pending = (): ReadLease[] => waiting.filter(lease => this.#leases.has(lease));
    while (pending().length > 0 && clock.monotonic() < deadline) {
      await new Promise<void>(resolve => clock.after(POLL_MS, resolve));
    }
    const late = pending();
    for (const lease of late) lease.revoke();
    return late.length;
  }
}

const POLL_MS = 50;
