// Errors of the text. Each carries its place, and the message starts with it, as users know it from the
// field's other servers.

import { OutpostError } from '../lifecycle/errors.ts';
import type { Span } from './ast.ts';
import { lineColumn } from './position.ts';

/** A query that cannot be read. Code `bad-data`; the message is `line:col: parse error: …`. */
export class ParseError extends OutpostError {
  readonly span: Span;
  /** The message without place and prefix. */
  readonly detail: string;

  constructor(text: string, span: Span, detail: string) {
    // An empty text has no places.
    const place = text === '' ? 'unknown position' : lineColumn(text, span.start);
    super('bad-data', `${place}: parse error: ${detail}`);
    this.span = span;
    this.detail = detail;
  }
}
