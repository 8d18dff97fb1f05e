// What the engine has to say about an answer. Each text is kept once, with the place where it arose first.

import type { Span } from './ast.ts';
import { lineColumn } from './position.ts';

/** A remark's weight: a warning may mean a wrong answer, an info changes nothing about it. */
export type AnnotationKind = 'warning' | 'info';

/** Collects the remarks of one query. */
export class Annotations {
  readonly #text: string;
  readonly #seen = new Map<string, { kind: AnnotationKind; line: string }>();

  constructor(text: string) {
    this.#text = text;
  }

  add(kind: AnnotationKind, message: string, span: Span): void {
    if (this.#seen.has(message)) return;
    const place = lineColumn(this.#text, span.start);
    this.#seen.set(message, { kind, line: `PromQL ${kind}: ${message} (${place})` });
  }

  /** A sentence from below the engine, kept as it is. */
  addForeign(sentence: string): void {
    if (!this.#seen.has(sentence)) this.#seen.set(sentence, { kind: 'warning', line: sentence });
  }

  list(kind: AnnotationKind): string[] {
    return [...this.#seen.values()].filter(entry => entry.kind === kind).map(entry => entry.line);
  }
}
