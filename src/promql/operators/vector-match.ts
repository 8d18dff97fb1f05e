// Operations between two vectors. The "one" side is held by match key, the other streams past it.

import type { Labels } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { BinaryExpr, VectorMatching } from '../ast.ts';
import { type RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { changesSchema, type Element, type ElementOperation } from './arithmetic.ts';
import { type MatchKey, matchKey, matchLabels } from './match-key.ts';
import { FixedRow, lasting, withoutName } from './names.ts';
import { type Distinctness, FRAGMENTED, type VectorOperator } from './operator.ts';
import { RowStore } from './row-store.ts';
import { type Row, RowsOperator, type RowsProducer } from './rows.ts';

export interface VectorMatchOptions {
  readonly expr: BinaryExpr;
  readonly operation: ElementOperation;
  readonly left: VectorOperator;
  readonly right: VectorOperator;
  readonly steps: number;
}

/** The operator of arithmetic and comparisons between vectors. */
export function newVectorMatch(execution: Execution, options: VectorMatchOptions): VectorOperator {
  return new RowsOperator(execution, new VectorMatch(execution, options));
}

/** What the "one" side has for a match key. */
interface OneGroup {
  readonly rows: Row[];
  /** 1 where a cell of the group has found a partner, by step; made on first use. */
  matched: Uint8Array | null;
  /** 1 where a result has been given, by step, where only one may be. */
  claimed: Uint8Array | null;
  /** Labels of results already given for this key, with the steps they took. */
  results: Map<string, Uint8Array> | null;
}

const NO_CELLS = new Uint8Array(0);

class VectorMatch implements RowsProducer {
  readonly steps: number;
  readonly distinct: Distinctness = FRAGMENTED;
  readonly #execution: Execution;
  readonly #options: VectorMatchOptions;
  readonly #matching: VectorMatching;
  readonly #key: MatchKey;
  /** True where the "one" side is the left one. */
  readonly #swapped: boolean;
  readonly #groups = new Map<string, OneGroup>();
  /** Steps at which a match key occurs twice on the "one" side. */
  readonly #conflicts = new Map<number, Conflict>();
  readonly #store: RowStore;
  /** Steps at which the pair at hand met. */
  readonly #matched: Uint8Array;
  /** Those of them that make a second pair an error. */
  readonly #claimed: Uint8Array;
  #held = 0;

  constructor(execution: Execution, options: VectorMatchOptions) {
    this.#execution = execution;
    this.#options = options;
    this.#matching = options.expr.matching;
    this.#key = matchKey(this.#matching);
    this.#swapped = this.#matching.cardinality === 'one-to-many';
    this.steps = options.steps;
    this.#store = new RowStore(options.steps);
    this.#matched = new Uint8Array(options.steps);
    this.#claimed = new Uint8Array(options.steps);
  }

  async collect(): Promise<Iterable<Row>> {
    const { left, right } = this.#options;
    await this.#loadOneSide(this.#swapped ? left : right);
    const many = this.#swapped ? right : left;
    const out: Row[] = [];
    for (;;) {
      const block = await many.next();
      if (block === null) break;
      for (let i = 0; i < block.rows.length; i++) {
        this.#match(block, i, out);
        if (this.#execution.due) await this.#execution.breathe();
      }
    }
    const { fillLeft, fillRight } = this.#matching;
    // Without a fill, duplicates that nothing could match are nobody's error.
    if (fillLeft !== null || fillRight !== null) {
      for (const conflict of this.#conflicts.values()) this.#refuse(conflict);
    }
    if (fillLeft !== null) await this.#fillMany(fillLeft, out);
    return out;
  }

  close(): void {
    this.#options.left.close();
    this.#options.right.close();
    this.#execution.release(this.#held);
    this.#held = 0;
    this.#groups.clear();
  }

  #hold(samples: number): void {
    this.#execution.hold(samples);
    this.#held += samples;
  }

  async #loadOneSide(side: VectorOperator): Promise<void> {
    for (;;) {
      const block = await side.next();
      if (block === null) return;
      this.#hold(block.rows.length * block.steps);
      for (let i = 0; i < block.rows.length; i++) {
        if (this.#execution.due) await this.#execution.breathe();
        const labels = lasting(block.rows[i]!);
        this.#execution.holdLabels(labels);
        const row = this.#store.copy(block, i, labels);
        const key = this.#key(row.labels);
        const group = this.#groups.get(key);
        if (group) this.#join(key, group, row);
        else this.#groups.set(key, { rows: [row], matched: null, claimed: null, results: null });
      }
      await this.#execution.breathe();
    }
  }

  #join(key: string, group: OneGroup, row: Row): void {
    for (const other of group.rows) {
      for (let step = 0; step < this.steps; step++) {
        if (row.present[step] === 1 && other.present[step] === 1 && !this.#conflicts.has(step)) {
          this.#conflicts.set(step, { key, rows: [row, other] });
        }
      }
    }
    group.rows.push(row);
  }

  /** Finds the partners of one row of the streaming side. */
  #match(block: StepBlock, index: number, out: Row[]): void {
    const at = index * this.steps;
    if (this.#conflicts.size > 0) this.#checkConflicts(block, at);
    const labels = block.rows[index]!;
    const key = this.#key(labels);
    const group = this.#groups.get(key);
    const fill = this.#matching.fillRight;
    if (group) {
      for (const one of group.rows) {
        this.#emit(block, at, { labels, group, one: one.labels.labels, cells: one }, out);
      }
    }
    if (fill === null) return;
    const missing = new Uint8Array(this.steps).fill(1);
    for (const one of group?.rows ?? []) {
      for (let step = 0; step < this.steps; step++) if (one.present[step] === 1) missing[step] = 0;
    }
    if (!missing.includes(1)) return;
    const values = new Float64Array(this.steps).fill(fill);
    const filled = group ?? { rows: [], matched: null, claimed: null, results: null };
    if (!group) this.#groups.set(key, filled);
    const cells = { values, present: missing, histograms: null };
    const one = matchLabels(labels.labels, this.#matching);
    this.#emit(block, at, { labels, group: filled, one, cells }, out);
  }

  /** Results of the streaming row with one partner. */
  #emit(block: StepBlock, at: number, pair: Pair, out: Row[]): void {
    const { steps } = this;
    const { operation, expr } = this.#options;
    const { cells } = pair;
    const { values, present } = this.#store.take();
    const matched = this.#matched.fill(0);
    const claimed = this.#claimed.fill(0);
    let histograms: Row['histograms'] = null;
    let any = false;
    for (let step = 0; step < steps; step++) {
      if (block.present[at + step] === 0 || cells.present[step] === 0) continue;
      any = true;
      matched[step] = 1;
      const manyHistogram = block.histograms?.[at + step] ?? null;
      const oneHistogram = cells.histograms?.[step] ?? null;
      const many = block.values[at + step]!;
      const one = cells.values[step]!;
      const result =
        manyHistogram || oneHistogram
          ? this.#mixed(many, manyHistogram, one, oneHistogram)
          : this.#swapped
            ? operation.floats(one, many)
            : operation.floats(many, one);
      // A pair that the comparison filters out counts as matched all the same; one of types that cannot
      // be compared does not.
      claimed[step] = result.refused ? 0 : 1;
      if (expr.bool) {
        values[step] = result.keep ? 1 : 0;
        present[step] = result.refused ? 0 : 1;
      } else if (result.keep) {
        present[step] = 1;
        values[step] = result.value;
        if (result.histogram) (histograms ??= [])[step] = result.histogram;
      }
    }
    if (!any) return;
    const labels = this.#resultLabels(pair);
    this.#note(pair.group, matched);
    this.#claim(pair.group, labels, claimed);
    this.#hold(steps);
    this.#execution.holdLabels(labels);
    out.push({ labels, values, present, histograms });
  }

  #mixed(
    many: number,
    manyHistogram: Element['histogram'],
    one: number,
    oneHistogram: Element['histogram'],
  ): Element {
    const { operation } = this.#options;
    return this.#swapped
      ? operation.mixed(one, oneHistogram, many, manyHistogram)
      : operation.mixed(many, manyHistogram, one, oneHistogram);
  }

  #note(group: OneGroup, matched: Uint8Array): void {
    group.matched ??= new Uint8Array(this.steps);
    for (let step = 0; step < matched.length; step++) group.matched[step]! |= matched[step]!;
  }

  /** Refuses a second result of the same key, or with the same labels, at one step. */
  #claim(group: OneGroup, row: RowLabels, steps: Uint8Array): void {
    const oneToOne = this.#matching.cardinality === 'one-to-one';
    const problem = oneToOne
      ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
      : 'multiple matches for labels: grouping labels must ensure unique matches';
    if (oneToOne) {
      group.claimed ??= new Uint8Array(this.steps);
      claimSteps(group.claimed, steps, problem);
      return;
    }
    group.results ??= new Map();
    const key = row.labels.key;
    const taken = group.results.get(key);
    if (taken) claimSteps(taken, steps, problem);
    else group.results.set(key, steps.slice());
  }

  #resultLabels(pair: Pair): FixedRow {
    const { expr } = this.#options;
    const delayed = this.#execution.semantics.delayedNameRemoval;
    const renamed = changesSchema(expr.op);
    let labels = pair.labels.labels;
    if (renamed || (expr.bool && !delayed)) labels = withoutName(labels);
    if (this.#matching.cardinality === 'one-to-one') {
      labels = this.#matching.on
        ? labels.keep(this.#matching.labels)
        : labels.without(this.#matching.labels);
    }
    for (const name of this.#matching.include) labels = labels.with(name, pair.one.get(name));
    return new FixedRow(labels, expr.bool || (!renamed && pair.labels.nameDropped === true));
  }

  /** Results for what nobody on the streaming side matched. */
  async #fillMany(fill: number, out: Row[]): Promise<void> {
    for (const group of this.#groups.values()) {
      if (this.#execution.due) await this.#execution.breathe();
      for (const one of group.rows) {
        const labels = new FixedRow(matchLabels(one.labels.labels, this.#matching));
        const block = fillBlock(this.steps, fill, labels, group.matched ?? NO_CELLS);
        const fresh = { ...group, matched: null, claimed: null, results: null };
        this.#emit(block, 0, { labels, group: fresh, one: one.labels.labels, cells: one }, out);
      }
    }
  }

  #checkConflicts(block: StepBlock, at: number): void {
    for (const [step, conflict] of this.#conflicts) {
      if (block.present[at + step] === 1) this.#refuse(conflict);
    }
  }

  #refuse(conflict: Conflict): never {
    const [a, b] = conflict.rows.map(row => row.labels.labels.toString()).sort();
    const group = matchLabels(conflict.rows[0].labels.labels, this.#matching);
    throw new OutpostError(
      'execution',
      `found duplicate series for the match group ${group} on the ${this.#swapped ? 'left' : 'right'} hand-side of the operation: [${a}, ${b}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
}

/** Two rows of the "one" side with the same match key. */
interface Conflict {
  readonly key: string;
  readonly rows: [Row, Row];
}

/** A streaming row and its partner. */
interface Pair {
  readonly labels: RowLabels;
  readonly group: OneGroup;
  /** Labels of the partner. */
  readonly one: Labels;
  readonly cells: Pick<Row, 'values' | 'present' | 'histograms'>;
}

function claimSteps(taken: Uint8Array, steps: Uint8Array, problem: string): void {
  for (let step = 0; step < steps.length; step++) {
    if (steps[step] === 0) continue;
    if (taken[step] === 1) throw new OutpostError('execution', problem);
    taken[step] = 1;
  }
}

/** One row of the fill value, present where `matched` is not. */
function fillBlock(steps: number, fill: number, row: RowLabels, matched: Uint8Array): StepBlock {
  const block = new StepBlock(steps);
  const at = block.addRow(row);
  for (let step = 0; step < steps; step++) {
    if (matched[step] === 1) continue;
    block.values[at + step] = fill;
    block.present[at + step] = 1;
  }
  return block;
}
