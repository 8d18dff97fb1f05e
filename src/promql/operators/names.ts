// Taking metric names away. Two series that differ in nothing else must not meet at one step.

import { type Labels, METRIC_NAME } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import type { Distinctness } from './operator.ts';

/** Labels that describe the metric rather than the series; they fall together. */
const RESERVED: readonly string[] = [METRIC_NAME, '__type__', '__unit__'];

/** The labels without what describes the metric. */
export function withoutName(labels: Labels): Labels {
  return labels.without(RESERVED);
}

/** True for labels that describe the metric rather than the series. */
export function isReserved(name: string): boolean {
  return RESERVED.includes(name);
}

/** A row with a fixed label set. */
export class FixedRow implements RowLabels {
  readonly labels: Labels;
  readonly nameDropped: boolean;

  constructor(labels: Labels, nameDropped = false) {
    this.labels = labels;
    this.nameDropped = nameDropped;
  }

  label(name: string): string {
    return this.labels.get(name);
  }
}

/** A row that can outlive the block it came in. */
export function lasting(row: RowLabels): FixedRow {
  return row instanceof FixedRow ? row : new FixedRow(row.labels, row.nameDropped === true);
}

class NamelessRow implements RowLabels {
  readonly #row: RowLabels;

  constructor(row: RowLabels) {
    this.#row = row;
  }

  get labels(): Labels {
    return withoutName(this.#row.labels);
  }

  label(name: string): string {
    return isReserved(name) ? '' : this.#row.label(name);
  }
}

class MarkedRow implements RowLabels {
  readonly #row: RowLabels;
  readonly nameDropped = true;

  constructor(row: RowLabels) {
    this.#row = row;
  }

  get labels(): Labels {
    return this.#row.labels;
  }

  label(name: string): string {
    return this.#row.label(name);
  }
}

/** An entry of a map with its key and array. */
const SEEN_BYTES = 128;

/** Throws where two rows with the same labels have a value at the same step. */
export class DuplicateGuard {
  readonly #execution: Execution;
  readonly #seen = new Map<string, Uint8Array>();

  constructor(execution: Execution) {
    this.#execution = execution;
  }

  check(key: string, block: StepBlock, row: number): void {
    const at = row * block.steps;
    this.checkCells(key, block.present.subarray(at, at + block.steps));
  }

  /** The same for a row's presence alone, which is copied. */
  checkCells(key: string, present: Uint8Array): void {
    const taken = this.#seen.get(key);
    if (!taken) {
      this.#execution.holdBytes(SEEN_BYTES + key.length + present.length);
      this.#seen.set(key, present.slice());
      return;
    }
    for (let step = 0; step < present.length; step++) {
      if (present[step] === 0) continue;
      if (taken[step] === 1) throw sameLabelset();
      taken[step] = 1;
    }
  }
}

/** The error of two series with the same labels at one step. */
export function sameLabelset(): OutpostError {
  return new OutpostError('execution', 'vector cannot contain metrics with the same labelset');
}

/** Drops the names of blocks on their way through an operator. */
export class NameDrop {
  /** The distinctness of what comes out. */
  readonly distinct: Distinctness;
  readonly #execution: Execution;
  readonly #guard: DuplicateGuard | null;
  readonly #delayed: boolean;

  constructor(execution: Execution, input: Distinctness) {
    this.#execution = execution;
    this.#delayed = execution.semantics.delayedNameRemoval;
    this.#guard = this.#delayed || input.nameless ? null : new DuplicateGuard(execution);
    this.distinct = this.#delayed ? input : { full: input.nameless, nameless: input.nameless };
  }

  row(row: RowLabels): RowLabels {
    if (this.#delayed) return row.nameDropped ? row : new MarkedRow(row);
    return new NamelessRow(row);
  }

  /** Gives every row of the block its new labels. */
  async apply(block: StepBlock): Promise<void> {
    for (let i = 0; i < block.rows.length; i++) {
      const row = this.row(block.rows[i]!);
      block.rows[i] = row;
      if (!this.#guard) continue;
      this.#guard.check(row.labels.key, block, i);
      if (this.#execution.dueAfter(block.steps)) await this.#execution.breathe();
    }
  }
}
