// Text 0.0.4/1.0.0 and OpenMetrics as bytes, read as a scraper does: syntax errors are fatal and carry their
// line, the rules about grouping, order and types are not checked. Nothing is made of a sample but its value.

import { type Labels, METRIC_NAME } from '../../labels/labels.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { MetricType } from '../../telemetry/metrics.ts';
import { METRIC_TYPES } from '../metric-types.ts';
import { parseSeriesText } from '../series-text.ts';
import { canonicalBound } from './bounds.ts';
import { scanFloat, scanInteger } from './number.ts';
import type { SampleScanner, ScanKind, ScannedExemplar } from './scanner.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const BACKSLASH = 0x5c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const KEYWORDS = ['TYPE', 'HELP', 'UNIT', 'EOF'].map(word => ({ word, bytes: Buffer.from(word) }));
const TYPE_NAMES = [...METRIC_TYPES].map(([name, type]) => ({ name: Buffer.from(name), type }));

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB || code === RETURN;
}

/** A cursor over a whole text. */
export class TextScanner implements SampleScanner {
  readonly keyBytes: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  readonly value = new Float64Array(1);
  time = Number.NaN;
  readonly created = Number.NaN;
  type: MetricType = 'unknown';
  /** 1-based. */
  line = 0;
  readonly #end: number;
  readonly #openMetrics: boolean;
  #at = 0;
  #lineEnd = -1;
  #exemplarAt = -1;
  #nameStart = 0;
  #nameEnd = 0;
  #textStart = 0;
  #isHelp = false;
  #ended = false;

  /** Reads bytes[0, length). */
  constructor(bytes: Uint8Array, format: 'text' | 'openmetrics', length: number = bytes.length) {
    this.keyBytes = bytes;
    this.#end = length;
    this.#openMetrics = format === 'openmetrics';
  }

  next(): ScanKind {
    const bytes = this.keyBytes;
    while (this.#lineEnd + 1 < this.#end) {
      this.#at = this.#lineEnd + 1;
      this.line++;
      const newline = bytes.indexOf(NEWLINE, this.#at);
      this.#lineEnd = newline < 0 || newline > this.#end ? this.#end : newline;
      if (this.#ended) this.#fail('text after # EOF');
      this.#skipBlanks();
      if (this.#at === this.#lineEnd) continue;
      if (bytes[this.#at] !== HASH) return this.#sample();
      const kind = this.#comment();
      if (kind !== null) return kind;
    }
    if (this.#openMetrics && !this.#ended) this.#fail('the text ends without # EOF');
    return 'end';
  }

  labels(): Labels {
    const parsed = this.#series(this.keyStart, this.keyEnd);
    if (!parsed.has(METRIC_NAME)) this.#fail('a sample without a metric name');
    return canonicalBound(parsed, this.type);
  }

  /** Never called: these formats have none. */
  histogram(): FloatHistogram {
    this.#fail('a native histogram in a text format');
  }

  get hasExemplars(): boolean {
    return this.#exemplarAt >= 0;
  }

  exemplars(): readonly ScannedExemplar[] {
    if (this.#exemplarAt < 0) return [];
    this.#at = this.#exemplarAt + 1;
    this.#skipBlanks();
    const start = this.#at;
    if (this.keyBytes[start] !== BRACE_OPEN) this.#fail('an exemplar without labels');
    this.#skipBraces();
    const labels = this.#series(start, this.#at);
    const value = this.#number('exemplar value');
    const time = this.#at < this.#lineEnd ? this.#timestamp() : null;
    if (this.#at < this.#lineEnd) this.#fail('text after an exemplar');
    return [{ labels, value, time }];
  }

  metricName(): string {
    const start = this.#nameStart;
    if (this.keyBytes[start] !== QUOTE) return this.#decode(start, this.#nameEnd);
    const parsed = parseSeriesText(`{${this.#decode(start, this.#nameEnd)}}`);
    if (typeof parsed === 'string') this.#fail(parsed);
    return parsed.get(METRIC_NAME);
  }

  text(): string {
    const text = this.#decode(this.#textStart, this.#lineEnd);
    if (!this.#isHelp || !text.includes('\\')) return text;
    const pattern = this.#openMetrics ? /\\[\\n"]/g : /\\[\\n]/g;
    return text.replace(pattern, pair => (pair === '\\n' ? '\n' : pair.slice(1)));
  }

  #sample(): 'sample' {
    const bytes = this.keyBytes;
    const lineEnd = this.#lineEnd;
    const start = this.#at;
    let at = start;
    for (; at < lineEnd; at++) {
      const code = bytes[at]!;
      if (code === SPACE || code === TAB || code === BRACE_OPEN) break;
    }
    this.keyStart = start;
    this.keyEnd = at;
    this.#at = at;
    this.#skipBlanks();
    if (bytes[this.#at] === BRACE_OPEN && this.#at < lineEnd) {
      this.#skipBraces();
      this.keyEnd = this.#at;
    }
    this.value[0] = this.#number('value');
    this.time = Number.NaN;
    this.#exemplarAt = -1;
    if (this.#at < lineEnd && bytes[this.#at] !== HASH) this.time = this.#timestamp();
    if (this.#at < lineEnd) {
      const isExemplar = this.#openMetrics && bytes[this.#at] === HASH;
      if (!isExemplar) this.#fail('text after the timestamp');
      this.#exemplarAt = this.#at;
    }
    return 'sample';
  }

  // HELP, TYPE, UNIT and EOF mean something; every other comment is passed over.
  #comment(): ScanKind | null {
    this.keyStart = this.#at;
    this.keyEnd = this.#lineEnd;
    this.#at++;
    this.#skipBlanks();
    const keyword = this.#keyword();
    if (keyword === 'EOF' && this.#openMetrics) {
      this.#skipBlanks();
      if (this.#at < this.#lineEnd) this.#fail('text after # EOF');
      this.#ended = true;
      return null;
    }
    const isUnit = keyword === 'UNIT' && this.#openMetrics;
    if (keyword !== 'HELP' && keyword !== 'TYPE' && !isUnit) return null;
    this.#skipBlanks();
    this.#nameStart = this.#at;
    if (this.keyBytes[this.#at] === QUOTE) this.#skipQuoted();
    else this.#skipToken();
    this.#nameEnd = this.#at;
    if (this.#nameEnd === this.#nameStart) {
      // In text 0.0.4 such a line is a comment as any other.
      if (!this.#openMetrics) return null;
      this.#fail(`# ${keyword} without a metric name`);
    }
    this.#skipBlanks();
    this.#textStart = this.#at;
    this.#isHelp = keyword === 'HELP';
    if (keyword === 'TYPE') return this.#typeEntry();
    return keyword === 'HELP' ? 'help' : 'unit';
  }

  #typeEntry(): 'type' {
    let end = this.#lineEnd;
    while (end > this.#textStart && isBlank(this.keyBytes[end - 1]!)) end--;
    const found = TYPE_NAMES.find(({ name }) => this.#is(name, this.#textStart, end));
    if (found === undefined) {
      const text = this.#decode(this.#textStart, end);
      this.#fail(`unknown metric type ${JSON.stringify(text)}`);
    }
    this.type = found.type;
    return 'type';
  }

  /** One of the keywords that mean something, '' for any other word. */
  #keyword(): string {
    const start = this.#at;
    this.#skipToken();
    return KEYWORDS.find(({ bytes }) => this.#is(bytes, start, this.#at))?.word ?? '';
  }

  #is(expected: Uint8Array, start: number, end: number): boolean {
    if (end - start !== expected.length) return false;
    for (let i = 0; i < expected.length; i++) {
      if (this.keyBytes[start + i] !== expected[i]) return false;
    }
    return true;
  }

  #number(what: string): number {
    this.#skipBlanks();
    const start = this.#at;
    this.#skipToken();
    const value = scanFloat(this.keyBytes, start, this.#at);
    if (value === null) {
      this.#fail(`${what} ${JSON.stringify(this.#shown(start))} is not a number`);
    }
    this.#skipBlanks();
    return value;
  }

  #timestamp(): number {
    const start = this.#at;
    this.#skipToken();
    const time = this.#openMetrics
      ? scanFloat(this.keyBytes, start, this.#at)
      : scanInteger(this.keyBytes, start, this.#at);
    if (time === null || !Number.isFinite(time)) {
      const wanted = this.#openMetrics ? 'number' : 'whole number of ms';
      this.#fail(`timestamp ${JSON.stringify(this.#shown(start))} is not a ${wanted}`);
    }
    this.#skipBlanks();
    return this.#openMetrics ? Math.round(time * 1000) : time;
  }

  #skipToken(): void {
    while (this.#at < this.#lineEnd) {
      const code = this.keyBytes[this.#at]!;
      if (code === SPACE || code === TAB) return;
      this.#at++;
    }
  }

  #skipBlanks(): void {
    while (this.#at < this.#lineEnd) {
      const code = this.keyBytes[this.#at]!;
      if (code !== SPACE && code !== TAB) return;
      this.#at++;
    }
  }

  #skipBraces(): void {
    const bytes = this.keyBytes;
    while (this.#at < this.#lineEnd) {
      const code = bytes[this.#at]!;
      if (code === QUOTE) this.#skipQuoted();
      else {
        this.#at++;
        if (code === BRACE_CLOSE) return;
      }
    }
    this.#fail('a label set without its closing brace');
  }

  #skipQuoted(): void {
    const bytes = this.keyBytes;
    for (this.#at++; this.#at < this.#lineEnd; this.#at++) {
      const code = bytes[this.#at]!;
      if (code === BACKSLASH) this.#at++;
      else if (code === QUOTE) {
        this.#at++;
        return;
      }
    }
    this.#fail('a quoted string without its closing quote');
  }

  #series(start: number, end: number): Labels {
    const parsed = parseSeriesText(this.#decode(start, end));
    if (typeof parsed === 'string') this.#fail(parsed);
    return parsed;
  }

  #decode(start: number, end: number): string {
    try {
      return utf8.decode(this.keyBytes.subarray(start, end));
    } catch {
      this.#fail('text that is not UTF-8');
    }
  }

  #shown(start: number): string {
    return String.fromCharCode(...this.keyBytes.subarray(start, Math.min(this.#at, start + 40)));
  }

  #fail(what: string): never {
    throw new OutpostError('bad-data', `parse exposition: line ${this.line}: ${what}`);
  }
}
