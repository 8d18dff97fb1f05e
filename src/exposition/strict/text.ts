// Checks a text against the rules of the text format 0.0.4 that a scraper passes over: escapes, metadata that
// comes twice or late, bounds that are no numbers. Rules: prometheus/common expfmt.

import { isLegacyMetricName } from '../../labels/validate.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { ExpositionParser } from '../parse.ts';
import { parseGoFloat } from '../parse-float.ts';
import type { ExpositionProblem } from './openmetrics.ts';

const BOUNDS: Readonly<Record<string, string>> = { histogram: 'le', summary: 'quantile' };
const SUFFIX = /_(bucket|count|sum)$/;

/** The first broken rule of a text, or null. */
export function textProblem(text: string): ExpositionProblem | null {
  const lines = text.split('\n').length;
  const parser = new ExpositionParser(text, 'text');
  const checker = new TextChecker(parser);
  try {
    for (let kind = parser.next(); kind !== 'end'; kind = parser.next()) {
      const message = checker.entry(kind);
      if (message !== null) return { line: parser.line, message };
    }
  } catch (error) {
    if (!(error instanceof OutpostError)) throw error;
    const message = error.message.replace(/^parse exposition: line \d+: /, '');
    return { line: parser.line, message };
  }
  if (text === '' || text.endsWith('\n')) return null;
  return { line: lines, message: 'the last line does not end with a newline' };
}

class TextChecker {
  readonly #parser: ExpositionParser;
  readonly #types = new Map<string, string>();
  readonly #helped = new Set<string>();
  readonly #sampled = new Set<string>();

  constructor(parser: ExpositionParser) {
    this.#parser = parser;
  }

  entry(kind: 'sample' | 'type' | 'help' | 'unit' | 'comment'): string | null {
    if (kind === 'sample') return this.#sample();
    const { name, type, text } = this.#parser;
    if (kind === 'comment' || kind === 'unit') return null;
    if (name !== '' && !isLegacyMetricName(name) && !/[^\x20-\x7e]|\./.test(name)) {
      return `metric name ${JSON.stringify(name)} is not valid without quotes`;
    }
    if (kind === 'help') {
      // One without text says nothing.
      if (text.trim() === '') return null;
      if (this.#helped.has(name)) return `a second # HELP of ${name}`;
      this.#helped.add(name);
      return null;
    }
    if (this.#types.has(name)) return `a second # TYPE of ${name}`;
    if (this.#sampled.has(name)) return `# TYPE after the samples of ${name}`;
    this.#types.set(name, text.trim() === 'untyped' ? 'untyped' : type);
    return null;
  }

  #sample(): string | null {
    const { series } = this.#parser;
    if (/\\[^\\n"]/.test(series.replaceAll('\\\\', ''))) return 'a backslash before a letter but n';
    const labels = this.#parser.labels();
    const name = labels.get('__name__');
    if (/[{,]\s*__name__\s*=/.test(series)) return 'the label __name__ is the metric name itself';
    const family = this.#types.has(name) ? name : name.replace(SUFFIX, '');
    this.#sampled.add(this.#types.has(family) ? family : name);
    const bound = BOUNDS[this.#types.get(family) ?? ''];
    const text = bound === undefined ? '' : labels.get(bound);
    if (text === '' || parseGoFloat(text) !== null) return null;
    return `${bound}=${JSON.stringify(text)} is not a number`;
  }
}
