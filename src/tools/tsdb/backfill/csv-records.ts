// Comma-separated values (RFC 4180) from pieces of text: fields in quotes may hold separators, doubled
// quotes and line ends.

import { OutpostError } from '../../../lifecycle/errors.ts';

const RECORD_CHARACTERS_MAX = 16 * 1024 * 1024;

/** One record. */
export interface CsvRecord {
  /** 1-based number of the line it begins on. */
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with it, or null. */
  readonly problem: string | null;
}

/** Reads records out of text that comes piece by piece, each ending with a line but for the last. */
export class CsvReader {
  readonly #separator: string;
  /** Lines read that belong to a record whose quotes are still open. */
  #open = '';
  #openLine = 0;
  #line = 0;

  constructor(separator: string) {
    this.#separator = separator;
  }

  /** The records that are complete with this piece; empty lines are none. */
  *records(text: string): Generator<CsvRecord> {
    for (let at = 0; at < text.length; ) {
      const newline = text.indexOf('\n', at);
      const end = newline < 0 ? text.length : newline;
      const record = this.#add(text.slice(at, end));
      if (record) yield record;
      at = end + 1;
    }
  }

  /** The record that the text left open, or null. */
  end(): CsvRecord | null {
    if (this.#open === '') return null;
    return { line: this.#openLine, fields: [], problem: 'a quote is never closed' };
  }

  #add(line: string): CsvRecord | null {
    this.#line++;
    if (this.#open === '') {
      if (line.trim() === '') return null;
      this.#openLine = this.#line;
    }
    const text = this.#open === '' ? line : `${this.#open}\n${line}`;
    if (text.length > RECORD_CHARACTERS_MAX) {
      const what = `record at line ${this.#openLine} is longer than 16 MiB`;
      throw new OutpostError('limit-exceeded', `${what}: is a quote never closed?`);
    }
    // An open field is not closed by a line whose quotes are all doubled.
    const mayClose = this.#open === '' || countQuotes(line) % 2 === 1;
    const split = mayClose ? splitFields(text.replace(/\r$/, ''), this.#separator) : null;
    this.#open = split ? '' : text;
    return split ? { line: this.#openLine, ...split } : null;
  }
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

/** The fields, or null where the last one's closing quote has not come yet. */
function splitFields(
  text: string,
  separator: string,
): { fields: string[]; problem: string | null } | null {
  const fields: string[] = [];
  for (let at = 0; ; ) {
    if (text[at] !== '"') {
      const end = text.indexOf(separator, at);
      const field = text.slice(at, end < 0 ? text.length : end);
      if (field.includes('"')) return { fields, problem: 'a quote inside a field without quotes' };
      fields.push(field);
      if (end < 0) return { fields, problem: null };
      at = end + 1;
      continue;
    }
    let close = text.indexOf('"', at + 1);
    while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
    if (close < 0) return null;
    fields.push(text.slice(at + 1, close).replaceAll('""', '"'));
    if (close + 1 === text.length) return { fields, problem: null };
    if (text[close + 1] !== separator) return { fields, problem: 'text behind a closing quote' };
    at = close + 2;
  }
}
