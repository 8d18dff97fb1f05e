// Retention by policies at work: at most one block a round, oldest first.

import { OutpostError } from '../../lifecycle/errors.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { Block } from '../block/block.ts';
import type { Tombstones } from '../block/tombstones.ts';
import type { DbParts } from '../db-parts.ts';
import { hasRoomFor } from '../disk-space.ts';
import { newestInOrder, rewriteBlock } from '../rewrite-block.ts';
import { takeCensus } from './census.ts';
import {
  type ClassCensus,
  cutoffs,
  mayExpire,
  type PolicyAction,
  planPolicies,
} from './policy-plan.ts';
import { noteRemoved } from './retention-metrics.ts';
import { classify, retentionsOf } from './retention-policy.ts';

// Counting reads a block's whole index.
const CENSUSES_PER_ROUND = 8;

/** What was counted in a block, and under which deletions. */
interface Counted {
  readonly tombstones: Tombstones;
  readonly classes: readonly ClassCensus[];
}

/** Removes what policies let go, and remembers what blocks hold. */
export class PolicyRetention {
  readonly #parts: DbParts;
  readonly #counted = new WeakMap<Block, Counted>();
  /** Trying again would fail again. */
  readonly #failed = new WeakSet<Block>();

  constructor(parts: DbParts) {
    this.#parts = parts;
  }

  /** Does what is due to at most one block. No other maintenance may run meanwhile. */
  async apply(signal?: AbortSignal): Promise<void> {
    const { settings, store } = this.#parts;
    const { retentionPolicies, retentionMs } = settings;
    if (retentionPolicies.length === 0) return;
    const newest = Math.max(...store.blocks.map(({ meta }) => meta.maxTime));
    const cuts = cutoffs(newest, retentionsOf(retentionPolicies, retentionMs));
    const last = newestInOrder(store.blocks);
    let counts = CENSUSES_PER_ROUND;
    for (const block of store.blocks) {
      const { meta } = block;
      // The newest blocks stay, as they do for compaction.
      if (meta.maxTime === newest || block === last) continue;
      if (this.#failed.has(block) || !mayExpire(meta, cuts)) continue;
      if (!this.#isCounted(block) && counts-- === 0) return;
      if (await this.#treat(block, cuts, signal)) return;
    }
  }

  #isCounted(block: Block): boolean {
    return this.#counted.get(block)?.tombstones === block.parts.tombstones;
  }

  /** True where something was done to the block. */
  async #treat(block: Block, cuts: readonly number[], signal?: AbortSignal): Promise<boolean> {
    try {
      const { minTime, maxTime } = block.meta;
      const classes = await this.#census(block, signal);
      const action = planPolicies({ minTime, maxTime, classes }, cuts);
      if (action) await this.#carryOut(block, action, { cuts, ...(signal && { signal }) });
      return action !== null;
    } catch (error) {
      if (signal?.aborted) return true;
      if (error instanceof OutpostError && error.code !== 'unavailable') this.#failed.add(block);
      throw error;
    }
  }

  async #census(block: Block, signal?: AbortSignal): Promise<readonly ClassCensus[]> {
    const known = this.#counted.get(block);
    if (known && this.#isCounted(block)) return known.classes;
    const { settings } = this.#parts;
    const { parts } = block;
    const slicer = new Slicer(() => settings.clock.monotonic(), signal);
    const ids = await classify(parts.index, settings.retentionPolicies, signal);
    const classes = await takeCensus(parts, ids, slicer);
    this.#counted.set(block, { tombstones: parts.tombstones, classes });
    return classes;
  }

  async #carryOut(
    block: Block,
    action: PolicyAction,
    { cuts, signal }: { readonly cuts: readonly number[]; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { dir, settings, store } = this.#parts;
    const { ulid, stats } = block.meta;
    let left = stats.numSamples;
    let done = action;
    if (action === 'drop') {
      store.delete([block]);
      left = 0;
    } else {
      // A block that cannot be written anew for want of room at least hides what is to go.
      if (!(await hasRoomFor(block.sizeBytes, dir, settings))) done = 'hide';
      await this.#hide(block, cuts);
      if (done === 'rewrite') {
        left = (await rewriteBlock(this.#parts, block, signal))?.stats.numSamples ?? 0;
      }
    }
    if (done !== 'hide')
      noteRemoved(this.#parts.metrics.removed, 'policy', stats.numSamples - left);
    settings.logger.info('retention policies applied', {
      ulid,
      action: done,
      samplesRemoved: stats.numSamples - left,
    });
  }

  /** Deletes what is older than its class's time; the samples stay in the files. */
  async #hide(block: Block, cuts: readonly number[]): Promise<void> {
    const { retentionPolicies } = this.#parts.settings;
    await block.deleteSeries(async ({ index }) => {
      const classes = await classify(index, retentionPolicies);
      return classes.map((ids, i) => ({
        ids,
        minTime: Number.NEGATIVE_INFINITY,
        maxTime: cuts[i]! - 1,
      }));
    });
  }
}
