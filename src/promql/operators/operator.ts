// The roles that a plan is made of. Operators are pulled; each is read once from front to back.

import type { SampleColumns } from '../../storage/samples.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Row } from './rows.ts';

/** What is known at planning time about the label sets of an operator's rows. */
export interface Distinctness {
  /** No two rows carry the same labels. */
  readonly full: boolean;
  /** Not even once the metric name is taken away. */
  readonly nameless: boolean;
}

/** Yields an instant vector at each step of its grid. */
export interface VectorOperator {
  readonly distinct: Distinctness;
  /** The next rows, at least one; null at the end. */
  next(): Promise<StepBlock | null>;
  /**
   * All rows at once, where the operator holds them anyway: they stay valid and are the caller's. In place of
   * `next`, never beside it. Rows may have no cell present.
   */
  all?(): Promise<Iterable<Row>>;
  /** Releases what is held; safe at any time and more than once. */
  close(): void;
}

/** Yields one number per step. */
export interface ScalarOperator {
  /** As many values as the grid has steps. Called once. */
  values(): Promise<Float64Array>;
  close(): void;
}

/** A series whose raw samples can be asked for. Valid until its source's next `next()`. */
export interface RangeSeries extends RowLabels {
  samples(out: SampleColumns): void;
}

/** Yields series with samples, for windows to slide over. */
export interface RangeSource {
  readonly distinct: Distinctness;
  next(): Promise<readonly RangeSeries[] | null>;
  close(): void;
}

export const DISTINCT: Distinctness = { full: true, nameless: true };
export const FRAGMENTED: Distinctness = { full: false, nameless: false };
