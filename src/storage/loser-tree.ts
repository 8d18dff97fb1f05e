// A tournament of k sorted inputs. Each inner node remembers the loser of its match, so that after the
// overall winner has moved on, one path from its leaf to the root decides the next: log2 k comparisons
// and no swaps (Knuth, TAOCP 3, 5.4.1).

/** True where input `a` comes out before input `b`. A total order; ended inputs come last. */
export type Precedes = (a: number, b: number) => boolean;

/** Picks the smallest of k inputs that are known by their index. Needs at least one. */
export class LoserTree {
  readonly #precedes: Precedes;
  readonly #count: number;
  // Node i's children are 2i and 2i+1; the leaves are count … 2·count−1. Node 0 holds the winner.
  readonly #losers: Int32Array;

  /** Plays all matches, so the inputs must be positioned. */
  constructor(count: number, precedes: Precedes) {
    this.#precedes = precedes;
    this.#count = count;
    this.#losers = new Int32Array(count);
    this.#losers[0] = count === 1 ? 0 : this.#play(1);
  }

  /** Index of the input that comes first. */
  get winner(): number {
    return this.#losers[0]!;
  }

  /** Call after the winner's input has moved on; no other input may have changed. */
  replay(): void {
    let winner = this.#losers[0]!;
    for (let node = (winner + this.#count) >> 1; node > 0; node >>= 1) {
      const rival = this.#losers[node]!;
      if (this.#precedes(rival, winner)) {
        this.#losers[node] = winner;
        winner = rival;
      }
    }
    this.#losers[0] = winner;
  }

  #play(node: number): number {
    if (node >= this.#count) return node - this.#count;
    const left = this.#play(2 * node);
    const right = this.#play(2 * node + 1);
    const leftWins = this.#precedes(left, right);
    this.#losers[node] = leftWins ? right : left;
    return leftWins ? left : right;
  }
}
