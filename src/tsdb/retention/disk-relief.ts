// The emergency: when the disk is nearly full, the oldest blocks go before their time, so that the log can
// be written and nothing new is lost.

import { existsSync } from 'node:fs';
import { DELETION_SUFFIX } from '../block/block-writer.ts';
import type { DbParts } from '../db-parts.ts';
import { reserveBytes } from '../disk-space.ts';
import { planDiskRelief } from './disk-relief-plan.ts';
import { noteRemoved } from './retention-metrics.ts';

/** Keeps the reserve of a disk free. */
export class DiskRelief {
  readonly #parts: DbParts;
  /** Bytes of deleted blocks that readers still hold, by directory. */
  readonly #leaving = new Map<string, number>();
  #helpless = false;

  constructor(parts: DbParts) {
    this.#parts = parts;
  }

  /** Bytes that are missing from the reserve, those on their way counted as free; 0 where none are. */
  async missingBytes(): Promise<number> {
    const { dir, settings } = this.#parts;
    if (settings.minFreeBytes === 0) return 0;
    const space = await settings.readDiskSpace(dir).catch(() => null);
    if (space === null) return 0;
    const free = space.freeBytes + this.#leavingBytes();
    return Math.max(0, reserveBytes(settings.minFreeBytes, space) - free);
  }

  /** Deletes old blocks until the reserve is free again. No other maintenance may run meanwhile. */
  async apply(): Promise<void> {
    const missingBytes = await this.missingBytes();
    if (missingBytes === 0) {
      this.#helpless = false;
      return;
    }
    const { store } = this.#parts;
    const chosen = planDiskRelief(store.blocks, missingBytes);
    for (const block of chosen) {
      store.delete([block]);
      this.#leaving.set(block.dir + DELETION_SUFFIX, block.sizeBytes);
      noteRemoved(this.#parts.metrics.removed, 'disk', block.meta.stats.numSamples);
    }
    if (chosen.length > 0) this.#tellDeleted(chosen, missingBytes);
    else this.#tellHelpless(missingBytes);
  }

  #leavingBytes(): number {
    let bytes = 0;
    for (const [dir, size] of this.#leaving) {
      if (existsSync(dir)) bytes += size;
      else this.#leaving.delete(dir);
    }
    return bytes;
  }

  #tellDeleted(blocks: ReturnType<typeof planDiskRelief>, missingBytes: number): void {
    const { settings, dir } = this.#parts;
    const newest = Math.max(...blocks.map(({ meta }) => meta.maxTime));
    settings.onEvent({
      name: 'storage.blocks-deleted-early',
      severity: 'warn',
      message: 'the disk is nearly full: the oldest blocks were deleted before their time',
      attributes: {
        reason: 'disk',
        dir,
        blocks: blocks.map(({ meta }) => meta.ulid).join(' '),
        endOfDeleted: new Date(newest).toISOString(),
        missingBytes: String(missingBytes),
      },
    });
  }

  /** Once until there is room again. */
  #tellHelpless(missingBytes: number): void {
    if (this.#helpless) return;
    this.#helpless = true;
    const { settings, dir } = this.#parts;
    settings.onEvent({
      name: 'storage.disk-nearly-full',
      severity: 'error',
      message: 'the disk is nearly full and there are no old blocks to delete: free some space',
      attributes: { dir, missingBytes: String(missingBytes) },
    });
  }
}
