// Expressions of queries that were read before: dashboards and rules ask the same texts again and again.
// A syntax tree is never changed, so any number of queries may share one.

import type { Expr } from './ast.ts';
import { parseQuery } from './parser.ts';

const QUERIES_MAX = 500;
/** Longer texts are read anew every time. */
const TEXT_LENGTH_MAX = 4096;

/** Remembers the queries asked most recently; at most 2 MiB of text. */
export class ParsedQueries {
  readonly #known = new Map<string, Expr>();
  readonly #check: (text: string, expr: Expr) => void;

  /** `check` throws for what may be read and must not be asked; it sees a text once, before its types are checked. */
  constructor(check: (text: string, expr: Expr) => void = () => {}) {
    this.#check = check;
  }

  /** The expression a text stands for. Throws as `parseQuery`; texts that are wrong are not remembered. */
  parse(text: string): Expr {
    const known = this.#known.get(text);
    if (known) {
      // A Map keeps the order of insertion: the front is what was asked longest ago.
      this.#known.delete(text);
      this.#known.set(text, known);
      return known;
    }
    const expr = parseQuery(text, this.#check);
    if (text.length > TEXT_LENGTH_MAX) return expr;
    if (this.#known.size >= QUERIES_MAX) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(text, expr);
    return expr;
  }

  /** Texts remembered. */
  get size(): number {
    return this.#known.size;
  }
}
