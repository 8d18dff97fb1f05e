// and, or, unless: which rows pass is decided step by step from what is present on the other side.

import type { BinaryExpr, SetOp } from '../ast.ts';
import type { StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { compact } from './map.ts';
import { type MatchKey, matchKey } from './match-key.ts';
import { type Distinctness, FRAGMENTED, type VectorOperator } from './operator.ts';

/** A key and its place in a map. */
const KEY_BYTES = 64;

/** Presence per match key. */
type Presence = Map<string, Uint8Array>;

/** Streams the left side, and for `or` the right side after it; holds presence only. */
export class SetOperator implements VectorOperator {
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #op: SetOp;
  readonly #left: VectorOperator;
  readonly #right: VectorOperator;
  readonly #key: MatchKey;
  readonly #steps: number;
  readonly #presence: Presence = new Map();
  #phase: 'start' | 'left' | 'right' = 'start';

  constructor(
    execution: Execution,
    expr: BinaryExpr & { readonly op: SetOp },
    sides: { readonly left: VectorOperator; readonly right: VectorOperator },
    steps: number,
  ) {
    this.#execution = execution;
    this.#op = expr.op;
    this.#left = sides.left;
    this.#right = sides.right;
    this.#key = matchKey(expr.matching);
    this.#steps = steps;
    this.distinct = expr.op === 'or' ? FRAGMENTED : sides.left.distinct;
  }

  async next(): Promise<StepBlock | null> {
    if (this.#phase === 'start') {
      this.#phase = 'left';
      if (this.#op !== 'or') await this.#record(this.#right);
    }
    for (;;) {
      const block = await this.#nextBlock();
      if (block === null) return null;
      await this.#execution.breathe();
      if (block.rows.length > 0) return block;
    }
  }

  close(): void {
    this.#left.close();
    this.#right.close();
    this.#execution.release(this.#presence.size * this.#steps);
    this.#presence.clear();
  }

  async #nextBlock(): Promise<StepBlock | null> {
    if (this.#phase === 'left') {
      const block = await this.#left.next();
      if (block !== null) {
        if (this.#op === 'or') this.#note(block);
        else this.#filter(block, this.#op === 'and' ? 1 : 0);
        return block;
      }
      if (this.#op !== 'or') return null;
      this.#phase = 'right';
    }
    const block = await this.#right.next();
    if (block !== null) this.#filter(block, 0);
    return block;
  }

  async #record(side: VectorOperator): Promise<void> {
    for (;;) {
      const block = await side.next();
      if (block === null) return;
      this.#note(block);
      await this.#execution.breathe();
    }
  }

  #note(block: StepBlock): void {
    const { steps, present } = block;
    for (let row = 0; row < block.rows.length; row++) {
      const key = this.#key(block.rows[row]!);
      let seen = this.#presence.get(key);
      if (!seen) {
        this.#execution.hold(steps);
        this.#execution.holdBytes(KEY_BYTES + key.length);
        seen = new Uint8Array(steps);
        this.#presence.set(key, seen);
      }
      for (let step = 0; step < steps; step++) seen[step]! |= present[row * steps + step]!;
    }
  }

  /** Keeps the cells whose counterpart's presence is `wanted`. */
  #filter(block: StepBlock, wanted: 0 | 1): void {
    const { steps, present } = block;
    for (let row = 0; row < block.rows.length; row++) {
      const seen = this.#presence.get(this.#key(block.rows[row]!));
      const at = row * steps;
      if (!seen) {
        if (wanted === 1) present.fill(0, at, at + steps);
        continue;
      }
      for (let step = 0; step < steps; step++) {
        if (seen[step] !== wanted) present[at + step] = 0;
      }
    }
    compact(block);
  }
}
