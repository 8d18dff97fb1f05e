// Reads text 0.0.4/1.0.0 and OpenMetrics as a scraper does: syntax errors are fatal and carry their line,
// the rules about grouping, order and types are not checked. The cursor hands out each sample's series as
// the raw text, so that a caller who has seen that text before never parses labels again.

import { type Labels, METRIC_NAME } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { MetricType } from '../telemetry/metrics.ts';
import { METRIC_TYPES } from './metric-types.ts';
import { parseGoFloat } from './parse-float.ts';
import { parseSeriesText } from './series-text.ts';

/** What `next` found. */
export type EntryKind = 'sample' | 'type' | 'help' | 'unit' | 'comment' | 'end';

/** An OpenMetrics exemplar. */
export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  /** Unix ms, or null. */
  readonly time: number | null;
}

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const BACKSLASH = 0x5c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/** Where a text belongs that is read piece by piece. */
export interface PieceOptions {
  /** Lines before the piece. */
  readonly linesBefore: number;
}

/**
 * A cursor over one exposition, or over a piece of one that begins and ends with a line; a piece need not
 * have the text's end mark. `while ((kind = parser.next()) !== 'end')`; the fields named for a kind
 * hold until the next call. Everything that is malformed throws `bad-data` with its line number.
 */
export class ExpositionParser {
  /** 1-based number of the current line. */
  line: number;
  /** The metric's name of a `type`, `help` or `unit` entry. */
  name = '';
  /** Help text, unit or comment. */
  text = '';
  /** The type of a `type` entry. */
  type: MetricType = 'unknown';
  /** The series of a `sample` entry as it stands in the text, equal for equal spelling only. */
  series = '';
  value = 0;
  /** The sample's own time in Unix ms, or null. */
  time: number | null = null;

  readonly #source: string;
  readonly #openMetrics: boolean;
  readonly #isPiece: boolean;
  #started = false;
  #at = 0;
  #lineEnd = 0;
  #exemplarAt = -1;
  #ended = false;

  constructor(source: string, format: 'text' | 'openmetrics', piece?: PieceOptions) {
    this.#source = source;
    this.#openMetrics = format === 'openmetrics';
    this.#isPiece = piece !== undefined;
    this.line = piece?.linesBefore ?? 0;
  }

  /** True once OpenMetrics' end mark was read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Moves to the next entry. */
  next(): EntryKind {
    const source = this.#source;
    while (this.#lineEnd < source.length || !this.#started) {
      this.#at = this.#started ? this.#lineEnd + 1 : 0;
      this.#started = true;
      if (this.#at >= source.length) break;
      this.line++;
      const newline = source.indexOf('\n', this.#at);
      this.#lineEnd = newline < 0 ? source.length : newline;
      if (this.#ended) this.#fail('text after # EOF');
      this.#skipBlanks();
      if (this.#at === this.#lineEnd) continue;
      if (source.charCodeAt(this.#at) !== HASH) return this.#sample();
      const kind = this.#comment();
      if (kind !== null) return kind;
    }
    if (this.#openMetrics && !this.#ended && !this.#isPiece)
      this.#fail('the text ends without # EOF');
    return 'end';
  }

  /** True where an exemplar follows the current sample. */
  get hasExemplar(): boolean {
    return this.#exemplarAt >= 0;
  }

  /** The labels of the current sample, metric name included. Empty values are dropped. */
  labels(): Labels {
    const parsed = parseSeriesText(this.series);
    if (typeof parsed === 'string') this.#fail(parsed);
    if (!parsed.has(METRIC_NAME)) this.#fail('a sample without a metric name');
    return parsed;
  }

  /** The current sample's exemplar, or null. */
  exemplar(): Exemplar | null {
    if (this.#exemplarAt < 0) return null;
    this.#at = this.#exemplarAt + 1;
    this.#skipBlanks();
    const start = this.#at;
    if (this.#source.charCodeAt(start) !== BRACE_OPEN) this.#fail('an exemplar without labels');
    this.#skipBraces();
    const labels = parseSeriesText(this.#source.slice(start, this.#at));
    if (typeof labels === 'string') this.#fail(labels);
    const value = this.#number('exemplar value');
    const time = this.#at < this.#lineEnd ? this.#timestamp() : null;
    if (this.#at < this.#lineEnd) this.#fail('text after an exemplar');
    return { labels, value, time };
  }

  #sample(): 'sample' {
    const source = this.#source;
    const start = this.#at;
    while (this.#at < this.#lineEnd) {
      const code = source.charCodeAt(this.#at);
      if (code === SPACE || code === TAB || code === BRACE_OPEN) break;
      this.#at++;
    }
    let end = this.#at;
    this.#skipBlanks();
    if (source.charCodeAt(this.#at) === BRACE_OPEN) {
      this.#skipBraces();
      end = this.#at;
    }
    this.series = source.slice(start, end);
    this.value = this.#number('value');
    this.time = null;
    this.#exemplarAt = -1;
    if (this.#at < this.#lineEnd && source.charCodeAt(this.#at) !== HASH) {
      this.time = this.#timestamp();
    }
    if (this.#at < this.#lineEnd) {
      const isExemplar = this.#openMetrics && source.charCodeAt(this.#at) === HASH;
      if (!isExemplar) this.#fail('text after the timestamp');
      this.#exemplarAt = this.#at;
    }
    return 'sample';
  }

  // HELP, TYPE, UNIT and EOF mean something; every other comment is passed over.
  #comment(): EntryKind | null {
    this.#at++;
    this.#skipBlanks();
    const keyword = this.#token();
    if (keyword === 'EOF' && this.#openMetrics) {
      this.#skipBlanks();
      if (this.#at < this.#lineEnd) this.#fail('text after # EOF');
      this.#ended = true;
      return null;
    }
    const isUnit = keyword === 'UNIT' && this.#openMetrics;
    const afterKeyword = this.#at;
    this.#skipBlanks();
    // In text 0.0.4 metadata without a name is a comment as any other.
    const isBare = this.#at === this.#lineEnd && !this.#openMetrics;
    if ((keyword !== 'HELP' && keyword !== 'TYPE' && !isUnit) || isBare) {
      this.text = `${keyword}${this.#source.slice(afterKeyword, this.#lineEnd)}`;
      return 'comment';
    }
    this.name = this.#metricName(keyword);
    this.#skipBlanks();
    this.text = this.#source.slice(this.#at, this.#lineEnd);
    if (keyword === 'TYPE') return this.#typeEntry();
    if (keyword === 'HELP') this.text = this.#unescapeHelp(this.text);
    return keyword === 'HELP' ? 'help' : 'unit';
  }

  #typeEntry(): 'type' {
    const type = METRIC_TYPES.get(this.text.trim());
    if (type === undefined) this.#fail(`unknown metric type ${JSON.stringify(this.text.trim())}`);
    this.type = type;
    return 'type';
  }

  #metricName(keyword: string): string {
    if (this.#source.charCodeAt(this.#at) !== QUOTE) {
      const name = this.#token();
      if (name === '') this.#fail(`# ${keyword} without a metric name`);
      return name;
    }
    const start = this.#at;
    this.#skipQuoted();
    const parsed = parseSeriesText(`{${this.#source.slice(start, this.#at)}}`);
    if (typeof parsed === 'string') this.#fail(parsed);
    return parsed.get(METRIC_NAME);
  }

  #unescapeHelp(text: string): string {
    if (!text.includes('\\')) return text;
    const pattern = this.#openMetrics ? /\\[\\n"]/g : /\\[\\n]/g;
    return text.replace(pattern, pair => (pair === '\\n' ? '\n' : pair.slice(1)));
  }

  #number(what: string): number {
    this.#skipBlanks();
    const token = this.#token();
    const value = parseGoFloat(token);
    if (value === null) this.#fail(`${what} ${JSON.stringify(token)} is not a number`);
    this.#skipBlanks();
    return value;
  }

  #timestamp(): number {
    const token = this.#token();
    this.#skipBlanks();
    const time = this.#openMetrics ? parseGoFloat(token) : integer(token);
    if (time === null || !Number.isFinite(time)) {
      this.#fail(
        `timestamp ${JSON.stringify(token)} is not a ${this.#openMetrics ? 'number' : 'whole number of ms'}`,
      );
    }
    return this.#openMetrics ? Math.round(time * 1000) : time;
  }

  #token(): string {
    const start = this.#at;
    while (this.#at < this.#lineEnd) {
      const code = this.#source.charCodeAt(this.#at);
      if (code === SPACE || code === TAB) break;
      this.#at++;
    }
    return this.#source.slice(start, this.#at);
  }

  #skipBlanks(): void {
    while (this.#at < this.#lineEnd) {
      const code = this.#source.charCodeAt(this.#at);
      if (code !== SPACE && code !== TAB) return;
      this.#at++;
    }
  }

  #skipBraces(): void {
    while (this.#at < this.#lineEnd) {
      const code = this.#source.charCodeAt(this.#at);
      if (code === QUOTE) this.#skipQuoted();
      else {
        this.#at++;
        if (code === BRACE_CLOSE) return;
      }
    }
    this.#fail('a label set without its closing brace');
  }

  #skipQuoted(): void {
    for (this.#at++; this.#at < this.#lineEnd; this.#at++) {
      const code = this.#source.charCodeAt(this.#at);
      if (code === BACKSLASH) this.#at++;
      else if (code === QUOTE) {
        this.#at++;
        return;
      }
    }
    this.#fail('a quoted string without its closing quote');
  }

  #fail(what: string): never {
    throw new OutpostError('bad-data', `parse exposition: line ${this.line}: ${what}`);
  }
}

function integer(token: string): number | null {
  return /^-?\d{1,15}$/.test(token) ? Number(token) : null;
}
