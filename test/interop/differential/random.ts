// A seeded source of chance: the same seed gives the same queries on every machine.

/** Numbers from 0 (inclusive) to 1 (Marsaglia's xorshift on 32 bits). */
export type Random = () => number;

export function newRandom(seed: number): Random {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** One of the items. */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)]!;
}

/** True with the given probability. */
export function chance(random: Random, probability: number): boolean {
  return random() < probability;
}

/** Some of the items, in their order, at least `least`. */
export function some<Item>(random: Random, items: readonly Item[], least = 0): Item[] {
  const taken = items.filter(() => chance(random, 0.4));
  return taken.length >= least ? taken : [pick(random, items)];
}
