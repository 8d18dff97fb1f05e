// Comma-separated values into a backfill: one column of times, one or more of values, the rest labels.

import { parseGoFloat } from '../../../exposition/parse-float.ts';
import { Labels, METRIC_NAME } from '../../../labels/labels.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import type { Backfill } from './backfill.ts';
import { CsvReader, type CsvRecord } from './csv-records.ts';
import { parseTime, type TimeFormat } from './csv-time.ts';
import type { Refusals } from './refusals.ts';
import { textPieces } from './text-pieces.ts';

/** What the columns mean. Names are those of the header, the first line. */
export interface CsvOptions {
  readonly timeColumn: string;
  readonly timeFormat: TimeFormat;
  /** Columns of values. Each is a metric of its column's name, unless `metric` names the only one. */
  readonly valueColumns: readonly string[];
  readonly metric?: string;
  /** Columns of labels; default all others. An empty field is no label. */
  readonly labelColumns?: readonly string[];
  /** Labels of every series. */
  readonly labels: Readonly<Record<string, string>>;
  /** One character. */
  readonly separator: string;
  readonly refusals: Refusals;
  /** Told the bytes read so far. */
  readonly onBytes: (bytes: number) => void;
}

/** What was read beside samples. */
export interface CsvReport {
  /** Fields without a value. */
  emptyValues: number;
}

/** Reads a whole text. Throws `bad-data` where the header lacks a column. */
export async function readCsv(
  source: AsyncIterable<Uint8Array>,
  backfill: Backfill,
  options: CsvOptions,
): Promise<CsvReport> {
  const { refusals, onBytes, separator } = options;
  const reader = new CsvReader(separator);
  const refuse = (line: number, reason: string): void => refusals.add(line, reason);
  let rows: CsvRows | null = null;
  for await (const { text } of textPieces(source, onBytes, refuse)) {
    for (const record of reader.records(text)) {
      if (rows) rows.add(record);
      else rows = new CsvRows(record, backfill, options);
      if (backfill.full) await backfill.drain();
    }
  }
  if (!rows) throw new OutpostError('bad-data', 'read csv: there is no header');
  const open = reader.end();
  if (open) rows.add(open);
  return { emptyValues: rows.emptyValues };
}

/** A named column. */
interface Column {
  readonly name: string;
  readonly at: number;
}

/** Rows under one header. */
class CsvRows {
  emptyValues = 0;
  readonly #backfill: Backfill;
  readonly #options: CsvOptions;
  readonly #width: number;
  readonly #time: number;
  readonly #values: readonly Column[];
  readonly #labels: readonly Column[];

  constructor(header: CsvRecord, backfill: Backfill, options: CsvOptions) {
    const names = header.fields.map((name, i) =>
      (i === 0 ? name.replace(/^\ufeff/, '') : name).trim(),
    );
    const find = (name: string): Column => {
      const at = names.indexOf(name);
      if (at >= 0) return { name, at };
      const known = names.join(', ');
      throw new OutpostError('bad-data', `read csv: no column "${name}"; the header has ${known}`);
    };
    const { timeColumn, valueColumns, labelColumns, metric } = options;
    if (header.problem) throw new OutpostError('bad-data', `read csv header: ${header.problem}`);
    if (valueColumns.length === 0 || (metric !== undefined && valueColumns.length > 1)) {
      const fix = 'name one value column, or several and no metric';
      throw new OutpostError('bad-data', `read csv: ${fix}`);
    }
    const taken = [timeColumn, ...valueColumns];
    const others = names.filter(name => !taken.includes(name));
    this.#backfill = backfill;
    this.#options = options;
    this.#width = names.length;
    this.#time = find(timeColumn).at;
    this.#values = valueColumns.map(find);
    this.#labels = (labelColumns ?? others).map(find);
  }

  /** Takes a row's values, or refuses the row. */
  add({ line, fields, problem }: CsvRecord): void {
    const { refusals, timeFormat } = this.#options;
    if (problem === null && fields.length !== this.#width) {
      refusals.add(line, `${fields.length} fields, the header has ${this.#width}`);
      return;
    }
    const time = problem === null ? parseTime(fields[this.#time]!.trim(), timeFormat) : null;
    if (time === null) {
      const text = JSON.stringify(fields[this.#time]);
      refusals.add(line, problem ?? `time ${text} is not of the form ${timeFormat}`);
      return;
    }
    for (const column of this.#values) {
      const reason = this.#value(fields, column, time);
      if (reason !== null) refusals.add(line, reason);
    }
  }

  #value(fields: readonly string[], { name, at }: Column, time: number): string | null {
    const text = fields[at]!.trim();
    if (text === '') {
      this.emptyValues++;
      return null;
    }
    const value = parseGoFloat(text);
    if (value === null) return `value ${JSON.stringify(text)} of ${name} is not a number`;
    const series = this.#series(fields, name);
    return typeof series === 'string' ? series : this.#backfill.add(series, time, value);
  }

  #series(fields: readonly string[], valueName: string): number | string {
    const { registry } = this.#backfill;
    const metric = this.#options.metric ?? valueName;
    const spelling = `${metric}\ud800${this.#labels.map(({ at }) => fields[at]).join('\ud800')}`;
    const known = registry.spelled(spelling);
    if (known >= 0) return known;
    const pairs: [string, string][] = Object.entries(this.#options.labels);
    // A part of a larger string would keep all of that in memory.
    for (const { name, at } of this.#labels)
      pairs.push([name, Buffer.from(fields[at]!).toString()]);
    pairs.push([METRIC_NAME, metric]);
    const series = registry.numberOf(Labels.fromPairs(pairs));
    if (typeof series === 'number') registry.spell(spelling, series);
    return series;
  }
}
