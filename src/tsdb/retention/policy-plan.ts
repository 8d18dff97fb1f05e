// What retention by policies does next to a block: a pure choice over what is known of its classes of
// series. A class is past once the block ends before the class's time; its samples are then to go, and
// those of a large block earlier where they are many.

/** What a block holds of one class of series. Chunks stand for samples: they have about as many each. */
export interface ClassCensus {
  /** Chunks with samples that are not deleted. */
  readonly chunks: number;
  /** Unix ms of the oldest of them, Infinity where there is none. */
  readonly minTime: number;
  /** Unix ms of the newest, −Infinity where there is none. */
  readonly maxTime: number;
}

/** A block as the plan sees it. */
export interface CountedBlock {
  readonly minTime: number;
  /** Exclusive. */
  readonly maxTime: number;
  readonly classes: readonly ClassCensus[];
}

/**
 * `drop`: nothing is left of the block. `rewrite`: samples before each class's time are deleted and the
 * block is written anew without them. `hide`: they are deleted, but too few to write the block anew.
 */
export type PolicyAction = 'drop' | 'rewrite' | 'hide';

/** Share of a block's samples from which writing it anew before a class is past is worth it. */
export const EARLY_SHARE = 0.3;
/** Share of a block's samples from which writing it anew once a class is past is worth it. */
export const PAST_SHARE = 0.05;

/** Unix ms before which samples of each class may go; −Infinity where they are kept for ever. */
export function cutoffs(newest: number, retentions: readonly number[]): readonly number[] {
  return retentions.map(ms => (ms === 0 ? Number.NEGATIVE_INFINITY : newest - ms));
}

/** True where the block is old enough for any of its samples to go, whatever its classes. */
export function mayExpire(block: { readonly minTime: number }, cuts: readonly number[]): boolean {
  return cuts.some(cut => cut > block.minTime);
}

/** What is to be done with the block now; null where nothing is, or is not worth it yet. */
export function planPolicies(block: CountedBlock, cuts: readonly number[]): PolicyAction | null {
  let total = 0;
  let past = 0;
  let expired = 0;
  block.classes.forEach((census, i) => {
    const cut = cuts[i]!;
    total += census.chunks;
    if (cut >= block.maxTime) past += census.chunks;
    else expired += census.chunks * shareBefore(census, cut);
  });
  if (past === total) return 'drop';
  const share = (past + expired) / total;
  if (share >= EARLY_SHARE || past / total >= PAST_SHARE) return 'rewrite';
  return past > 0 ? 'hide' : null;
}

/** Share of the class's samples before `cut`, as if they were spread evenly. */
function shareBefore({ minTime, maxTime }: ClassCensus, cut: number): number {
  if (cut <= minTime) return 0;
  return cut > maxTime ? 1 : (cut - minTime) / (maxTime - minTime);
}
