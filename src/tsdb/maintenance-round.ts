// The rounds of maintenance: what is done and in which order. A step that fails is counted and logged, keeps
// no other from its turn, and is tried again in the next round.

import { ClockWatch } from './clock-watch.ts';
import { freezeOldBlocks } from './cold-blocks.ts';
import type { DbParts } from './db-parts.ts';
import { applyRetention, compact, cutHead } from './maintenance.ts';
import { cutOutOfOrderIfDue } from './out-of-order-blocks.ts';
import { DiskRelief } from './retention/disk-relief.ts';
import { PolicyRetention } from './retention/policy-retention.ts';

/** Time between two rounds, and between two looks for blocks that others put there. */
export const MAINTENANCE_INTERVAL_MS = 60_000;

/** Keeps one database in shape. Calls must not overlap, nor run beside other changes of its blocks. */
export class Maintenance {
  readonly #parts: DbParts;
  readonly #clock: ClockWatch;
  readonly #policies: PolicyRetention;
  readonly #relief: DiskRelief;
  #reloadedAt: number;

  constructor(parts: DbParts) {
    this.#parts = parts;
    this.#clock = new ClockWatch(parts);
    this.#policies = new PolicyRetention(parts);
    this.#relief = new DiskRelief(parts);
    this.#reloadedAt = parts.settings.clock.monotonic();
  }

  /** One round. Aborting ends it early; what is half done is undone. Never rejects. */
  async round(signal?: AbortSignal): Promise<void> {
    const parts = this.#parts;
    parts.head.index.table.nextAge();
    await this.#step('set the head right', () => this.#clock.check());
    await this.relieveDisk();
    await this.#step('cut out-of-order samples', () => cutOutOfOrderIfDue(parts, signal));
    await this.#step('cut the head', () => cutHead(parts, signal));
    await this.#step('reload blocks', () => this.#reload());
    await this.#step('delete old blocks', () => this.#retain());
    await this.#step('apply retention policies', () => this.#applyPolicies(signal));
    await this.#step('compact blocks', () => compact(parts, signal));
    await this.#step('freeze old blocks', () => freezeOldBlocks(parts, signal));
    await this.#step('delete old blocks', () => this.#retain());
  }

  /** Whether the disk lacks room that old blocks could give. Changes nothing. */
  async lacksRoom(): Promise<boolean> {
    return (await this.#relief.missingBytes()) > 0;
  }

  /** Deletes the oldest blocks early where the disk is nearly full. Never rejects. */
  async relieveDisk(): Promise<void> {
    await this.#step('keep the disk from filling', () => this.#relief.apply());
  }

  async #reload(): Promise<void> {
    const now = this.#parts.settings.clock.monotonic();
    if (now - this.#reloadedAt < MAINTENANCE_INTERVAL_MS) return;
    this.#reloadedAt = now;
    await this.#parts.store.reload({ setAside: false });
  }

  #retain(): void {
    applyRetention(this.#parts, { byTime: this.#clock.isTrusted });
  }

  async #applyPolicies(signal: AbortSignal | undefined): Promise<void> {
    if (this.#clock.isTrusted) await this.#policies.apply(signal);
  }

  async #step(what: string, work: () => void | Promise<void>): Promise<void> {
    const { logger } = this.#parts.settings;
    try {
      await work();
    } catch (error) {
      this.#parts.metrics.maintenanceFailed.inc();
      logger.error('maintenance failed', { step: what, err: error });
    }
  }
}
