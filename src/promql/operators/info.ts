// info(): rows enriched with the labels of info metrics that describe the same instance and job.

import { type Labels, METRIC_NAME } from '../../labels/labels.ts';
import { Matcher, matchesAll } from '../../labels/matcher.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { Execution } from '../execution.ts';
import { FixedRow, lasting } from './names.ts';
import { type Distinctness, FRAGMENTED, type VectorOperator } from './operator.ts';
import { RowStore } from './row-store.ts';
import { type Row, RowsOperator, type RowsProducer } from './rows.ts';

/** Labels by which an info series is found. */
const IDENTIFYING: readonly string[] = ['instance', 'job'];

export interface InfoOptions {
  /** The matchers of the second argument, null where there is none. */
  readonly matchers: readonly Matcher[] | null;
  readonly steps: number;
  /** Info series by matchers; their cells hold sample times. */
  readonly select: (matchers: readonly Matcher[]) => VectorOperator;
}

/** The operator of info(). */
export function newInfo(
  execution: Execution,
  input: VectorOperator,
  options: InfoOptions,
): VectorOperator {
  return new RowsOperator(execution, new Enrichment(execution, input, options));
}

/** The conditions on the names of info metrics: without a positive one, anything that ends in _info. */
function nameMatchers(matchers: readonly Matcher[] | null): readonly Matcher[] {
  const given = (matchers ?? []).filter(matcher => matcher.name === METRIC_NAME);
  if (given.length === 0) return [new Matcher('=', METRIC_NAME, 'target_info')];
  if (given.some(({ type }) => type === '=' || type === '=~')) return given;
  return [new Matcher('=~', METRIC_NAME, '.+_info'), ...given];
}

class Enrichment implements RowsProducer {
  readonly steps: number;
  readonly distinct: Distinctness = FRAGMENTED;
  readonly #execution: Execution;
  readonly #input: VectorOperator;
  readonly #options: InfoOptions;
  readonly #names: readonly Matcher[];
  /** Conditions on other labels, and the only labels that are taken over where there are any. */
  readonly #data: readonly Matcher[];
  #held = 0;

  constructor(execution: Execution, input: VectorOperator, options: InfoOptions) {
    this.steps = options.steps;
    this.#execution = execution;
    this.#input = input;
    this.#options = options;
    this.#names = nameMatchers(options.matchers);
    this.#data = (options.matchers ?? []).filter(matcher => matcher.name !== METRIC_NAME);
  }

  async collect(): Promise<Iterable<Row>> {
    const base = await this.#rowsOf(this.#input);
    const plain = base.filter(row => this.#isInfo(row));
    const enriched = base.filter(row => !this.#isInfo(row));
    const bySignature = await this.#infoSeries(enriched);
    const out: Row[] = [...plain];
    for (const row of enriched) {
      if (this.#execution.due) await this.#execution.breathe();
      out.push(...this.#enrich(row, bySignature.get(signature(row.labels.labels)) ?? []));
    }
    return out;
  }

  close(): void {
    this.#input.close();
    this.#execution.release(this.#held);
    this.#held = 0;
  }

  /** True for series that are info metrics themselves. */
  #isInfo(row: Row): boolean {
    const name = row.labels.label(METRIC_NAME);
    return matchesAll(this.#names, () => name);
  }

  async #rowsOf(operator: VectorOperator): Promise<Row[]> {
    const rows: Row[] = [];
    const store = new RowStore(this.steps);
    for (;;) {
      const block = await operator.next();
      if (block === null) return rows;
      this.#execution.hold(block.rows.length * block.steps);
      this.#held += block.rows.length * block.steps;
      for (let i = 0; i < block.rows.length; i++) {
        const labels = lasting(block.rows[i]!);
        this.#execution.holdLabels(labels);
        rows.push(store.copy(block, i, labels));
      }
      await this.#execution.breathe();
    }
  }

  /** The info series of the instances and jobs among the rows. */
  async #infoSeries(base: readonly Row[]): Promise<Map<string, Row[]>> {
    const found = new Map<string, Row[]>();
    const identity = IDENTIFYING.flatMap(name => {
      const values = new Set(base.map(row => row.labels.label(name)).filter(Boolean));
      return values.size === 0
        ? []
        : [new Matcher('=~', name, [...values].map(quoteMeta).join('|'))];
    });
    if (identity.length === 0) return found;
    const operator = this.#options.select([...identity, ...this.#data, ...this.#names]);
    try {
      for (const row of await this.#rowsOf(operator)) {
        const key = signature(row.labels.labels);
        found.set(key, [...(found.get(key) ?? []), row]);
      }
    } finally {
      operator.close();
    }
    return found;
  }

  /** The row's pieces: one for each combination of info series that applies at some step. */
  #enrich(row: Row, infos: readonly Row[]): Row[] {
    const pieces = new Map<string, Row>();
    const required = this.#data.some(matcher => !matcher.matchesEmpty);
    for (let step = 0; step < this.steps; step++) {
      if (row.present[step] === 0) continue;
      const chosen = newestByName(infos, step);
      if (chosen.length === 0 && required) continue;
      const key = chosen.map(info => infos.indexOf(info)).join();
      let piece = pieces.get(key);
      if (!piece) {
        piece = this.#emptyPiece(row, chosen);
        pieces.set(key, piece);
      }
      piece.present[step] = 1;
    }
    return [...pieces.values()];
  }

  #emptyPiece(row: Row, chosen: readonly Row[]): Row {
    const { labels } = row.labels;
    const added = new Map<string, string>();
    for (const info of chosen) this.#take(info.labels.labels, labels, added);
    let enriched = labels;
    for (const [name, value] of added) enriched = enriched.with(name, value);
    const named = new FixedRow(enriched, row.labels.nameDropped === true);
    return { ...row, labels: named, present: new Uint8Array(this.steps) };
  }

  /** Adds the labels of one info series that the base row lacks. */
  #take(info: Labels, base: Labels, added: Map<string, string>): void {
    for (const [name, value] of info) {
      if (name === METRIC_NAME) continue;
      if (this.#data.length > 0 && !this.#data.some(matcher => matcher.name === name)) continue;
      const other = added.get(name);
      if (other !== undefined && other !== value) {
        throw new OutpostError('execution', `conflicting label: ${name}`);
      }
      if (!base.has(name)) added.set(name, value);
    }
  }
}

/** Of each info metric the series with the newest sample at a step. */
function newestByName(infos: readonly Row[], step: number): Row[] {
  const newest = new Map<string, Row>();
  for (const info of infos) {
    if (info.present[step] === 0) continue;
    const name = info.labels.label(METRIC_NAME);
    const other = newest.get(name);
    if (!other || info.values[step]! > other.values[step]!) {
      newest.set(name, info);
    } else if (info.values[step] === other.values[step]) {
      throw duplicate(other, info, info.values[step]! * 1000);
    }
  }
  return [...newest.values()];
}

function duplicate(a: Row, b: Row, timeMs: number): OutpostError {
  const [first, second] = [a, b].map(row => `${row.labels.labels} @ ${timeMs}`);
  return new OutpostError(
    'execution',
    `found duplicate series for info metric: existing ${first}, new ${second}`,
  );
}

function signature(labels: Labels): string {
  return labels.keep(IDENTIFYING).key;
}

/** The expression that matches a text literally. */
function quoteMeta(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}
