// histogram_quantile, histogram_quantiles and histogram_fraction over classic and native histograms. The
// buckets of a classic histogram are rows that differ in `le` alone; they are brought together first.

import { formatPlain, formatShort } from '../../encoding/format-float.ts';
import { METRIC_NAME } from '../../labels/labels.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { Span } from '../ast.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { ClassicBuckets } from '../histogram/classic.ts';
import { nativeFraction, nativeQuantile } from '../histogram/native-quantile.ts';
import { quote } from '../literals.ts';
import { evaluateAll } from './map.ts';
import { DuplicateGuard, FixedRow, lasting, NameDrop } from './names.ts';
import {
  type Distinctness,
  FRAGMENTED,
  type ScalarOperator,
  type VectorOperator,
} from './operator.ts';
import { RowStore } from './row-store.ts';
import { type Row, RowsOperator, type RowsProducer } from './rows.ts';

const BUCKET_LABEL = 'le';

/** What is asked of each histogram. */
export type HistogramQuestion =
  | { readonly kind: 'quantile'; readonly spans: readonly Span[] }
  | { readonly kind: 'quantiles'; readonly label: string; readonly spans: readonly Span[] }
  | { readonly kind: 'fraction' };

export interface HistogramSummaryOptions {
  readonly question: HistogramQuestion;
  /** The quantiles, or the lower and the upper bound. */
  readonly scalars: readonly ScalarOperator[];
  /** The place of the histograms in the query. */
  readonly span: Span;
  readonly steps: number;
}

/** The operator that asks every histogram of a vector the same question. */
export function newHistogramSummary(
  execution: Execution,
  input: VectorOperator,
  options: HistogramSummaryOptions,
): VectorOperator {
  return new RowsOperator(execution, new HistogramSummary(execution, input, options));
}

/** All that is known of one label set. */
interface Candidate {
  readonly labels: RowLabels;
  readonly buckets: { readonly bound: number; readonly row: Row }[];
  readonly natives: Row[];
}

class HistogramSummary implements RowsProducer {
  readonly steps: number;
  readonly distinct: Distinctness = FRAGMENTED;
  readonly #execution: Execution;
  readonly #input: VectorOperator;
  readonly #options: HistogramSummaryOptions;
  readonly #candidates = new Map<string, Candidate>();
  readonly #buckets = new ClassicBuckets();
  readonly #store: RowStore;
  #held = 0;

  constructor(execution: Execution, input: VectorOperator, options: HistogramSummaryOptions) {
    this.steps = options.steps;
    this.#store = new RowStore(this.steps);
    this.#execution = execution;
    this.#input = input;
    this.#options = options;
  }

  async collect(): Promise<Iterable<Row>> {
    const scalars = await evaluateAll(this.#options.scalars);
    this.#checkQuantiles(scalars);
    for (;;) {
      const block = await this.#input.next();
      if (block === null) break;
      this.#execution.hold(block.rows.length * this.steps);
      this.#held += block.rows.length * this.steps;
      for (let row = 0; row < block.rows.length; row++) {
        this.#sort(block, row);
        if (this.#execution.due) await this.#execution.breathe();
      }
      await this.#execution.breathe();
    }
    const guard = new DuplicateGuard(this.#execution);
    const names = new NameDrop(this.#execution, { full: true, nameless: true });
    const out: Row[] = [];
    for (const candidate of this.#candidates.values()) {
      if (this.#execution.due) await this.#execution.breathe();
      candidate.buckets.sort((a, b) => a.bound - b.bound);
      for (const row of this.#answers(candidate, scalars)) {
        const named = { ...row, labels: lasting(names.row(row.labels)) };
        if (!this.#execution.semantics.delayedNameRemoval)
          guard.checkCells(named.labels.labels.key, named.present);
        out.push(named);
      }
    }
    return out;
  }

  close(): void {
    this.#input.close();
    for (const scalar of this.#options.scalars) scalar.close();
    this.#execution.release(this.#held);
    this.#held = 0;
  }

  #annotate(kind: 'warning' | 'info', message: string): void {
    this.#execution.annotations.add(kind, message, this.#options.span);
  }

  #checkQuantiles(scalars: readonly Float64Array[]): void {
    const { question } = this.#options;
    if (question.kind === 'fraction' || this.steps === 0) return;
    for (const [i, values] of scalars.entries()) {
      for (const q of values) {
        if (q >= 0 && q <= 1) continue;
        const message = `quantile value should be between 0 and 1, got ${formatShort(q)}`;
        this.#execution.annotations.add('warning', message, question.spans[i]!);
      }
    }
  }

  /** The name that remarks mention: only known while names have not been dropped. */
  #nameOf(labels: RowLabels): string {
    return this.#execution.semantics.delayedNameRemoval ? labels.label(METRIC_NAME) : '';
  }

  /** Puts a row with the others of its histogram. */
  #sort(block: StepBlock, index: number): void {
    const kept = lasting(block.rows[index]!);
    this.#execution.holdLabels(kept);
    const row = this.#store.copy(block, index, kept);
    const { labels } = row.labels;
    if (row.histograms) this.#candidateOf(labels.key, row.labels).natives.push(row);
    if (!hasFloat(row)) return;
    const text = labels.get(BUCKET_LABEL);
    const bound = parseBound(text);
    if (Number.isNaN(bound)) {
      const name = this.#nameOf(row.labels);
      this.#annotate(
        'warning',
        `bucket label "le" is missing or has a malformed value of ${quote(text)}${forMetric(name)}`,
      );
      return;
    }
    const base = labels.without([BUCKET_LABEL]);
    const candidate = this.#candidateOf(
      base.key,
      new FixedRow(base, row.labels.nameDropped === true),
    );
    candidate.buckets.push({ bound, row });
  }

  #candidateOf(key: string, labels: RowLabels): Candidate {
    let candidate = this.#candidates.get(key);
    if (!candidate) {
      candidate = { labels, buckets: [], natives: [] };
      this.#candidates.set(key, candidate);
    }
    return candidate;
  }

  #answers(candidate: Candidate, scalars: readonly Float64Array[]): Row[] {
    const { question } = this.#options;
    if (question.kind !== 'quantiles') {
      return [this.#answer(candidate, candidate.labels, scalars)];
    }
    return scalars.map(quantiles => {
      const text = formatLabelFloat(quantiles[0] ?? Number.NaN);
      const labels = candidate.labels.labels.with(question.label, text);
      const row = new FixedRow(labels, candidate.labels.nameDropped === true);
      return this.#answer(candidate, row, [quantiles]);
    });
  }

  #answer(candidate: Candidate, labels: RowLabels, scalars: readonly Float64Array[]): Row {
    const values = new Float64Array(this.steps);
    const present = new Uint8Array(this.steps);
    for (let step = 0; step < this.steps; step++) {
      const classic = this.#load(candidate, step);
      const native = nativeAt(candidate.natives, step);
      if (!classic && !native) continue;
      if (classic && native) {
        const name = this.#nameOf(candidate.labels);
        this.#annotate(
          'warning',
          `vector contains a mix of classic and native histograms${forMetric(name)}`,
        );
        continue;
      }
      values[step] = native
        ? this.#askNative(native, candidate.labels, scalars, step)
        : this.#askClassic(candidate.labels, scalars, step);
      present[step] = 1;
    }
    return { labels, values, present, histograms: null };
  }

  /** Loads the buckets of a step; false where there are none. */
  #load(candidate: Candidate, step: number): boolean {
    this.#buckets.clear();
    for (const { bound, row } of candidate.buckets) {
      if (row.present[step] === 0 || row.histograms?.[step]) continue;
      this.#buckets.add(bound, row.values[step]!);
    }
    return this.#buckets.size > 0;
  }

  #askClassic(labels: RowLabels, scalars: readonly Float64Array[], step: number): number {
    if (this.#options.question.kind === 'fraction') {
      return this.#buckets.fraction(scalars[0]![step]!, scalars[1]![step]!);
    }
    const answer = this.#buckets.quantile(scalars[0]![step]!);
    if (this.#buckets.repair) {
      this.#annotate(
        'info',
        `input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${forMetric(this.#nameOf(labels))}`,
      );
    }
    return answer;
  }

  #askNative(
    histogram: FloatHistogram,
    labels: RowLabels,
    scalars: readonly Float64Array[],
    step: number,
  ): number {
    const name = this.#nameOf(labels);
    const remark = (kind: 'warning' | 'info', message: string): void =>
      this.#annotate(kind, message + forMetric(name));
    if (this.#options.question.kind === 'fraction') {
      const bounds = { lower: scalars[0]![step]!, upper: scalars[1]![step]! };
      return nativeFraction(bounds, histogram, remark);
    }
    return nativeQuantile(scalars[0]![step]!, histogram, remark);
  }
}

function nativeAt(rows: readonly Row[], step: number): FloatHistogram | undefined {
  for (const { histograms } of rows) if (histograms?.[step]) return histograms[step];
  return undefined;
}

function forMetric(name: string): string {
  return name === '' ? '' : ` for metric name ${quote(name)}`;
}

function hasFloat(row: Row): boolean {
  if (row.histograms === null) return true;
  return row.present.some((present, step) => present === 1 && !row.histograms![step]);
}

/** The number in an `le` label; NaN where it is none. */
function parseBound(text: string): number {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) {
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** A number as label values write it: whole ones keep a decimal. */
function formatLabelFloat(value: number): string {
  const text = Number.isFinite(value) ? formatShort(value, true) : formatPlain(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
