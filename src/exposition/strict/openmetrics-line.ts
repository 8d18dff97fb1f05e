// One sample line of OpenMetrics 1.0, character by character as its grammar has it: single spaces, no comma too
// many, an exemplar of at most 128 characters. Grammar: github.com/prometheus/OpenMetrics, specification.

import { EXEMPLAR_LABELS_LENGTH_MAX } from '../../storage/exemplar.ts';
import { parseGoFloat } from '../parse-float.ts';

/** A sample line taken apart. */
export interface SampleLine {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** Seconds, or null. */
  readonly time: number | null;
  readonly hasExemplar: boolean;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"/y;
const TOKEN = /[^ ]+/y;

/** The line's parts, or the sentence that says what is wrong with it. */
export function parseSampleLine(line: string): SampleLine | string {
  return new LineReader(line).read();
}

class LineReader {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  read(): SampleLine | string {
    const name = this.#match(NAME)?.[0];
    if (name === undefined) return 'the metric name is not valid';
    const labels = this.#next('{') ? this.#labels() : new Map<string, string>();
    if (typeof labels === 'string') return labels;
    const value = this.#number('value');
    if (typeof value === 'string') return value;
    const time = this.#isExemplar() || this.#isEnd() ? null : this.#time('timestamp');
    if (typeof time === 'string') return time;
    const hasExemplar = this.#isExemplar();
    const problem = hasExemplar ? this.#exemplar() : null;
    if (problem !== null) return problem;
    if (!this.#isEnd()) return `"${this.#line.slice(this.#at)}" stands after the sample`;
    return { name, labels, value, time, hasExemplar };
  }

  #labels(): Map<string, string> | string {
    const labels = new Map<string, string>();
    if (this.#take('}')) return labels;
    for (;;) {
      const pair = this.#match(LABEL);
      if (!pair) return 'the label set is malformed';
      if (labels.has(pair[1]!)) return `label "${pair[1]}" occurs twice`;
      labels.set(
        pair[1]!,
        pair[2]!.replace(/\\([\\n"])/g, (_, c) => (c === 'n' ? '\n' : c)),
      );
      if (this.#take('}')) return labels;
      if (!this.#take(',')) return `a comma or brace is missing after label "${pair[1]}"`;
    }
  }

  #exemplar(): string | null {
    this.#at += 3;
    if (!this.#take('{')) return 'an exemplar begins with a label set';
    const labels = this.#labels();
    if (typeof labels === 'string') return labels;
    let length = 0;
    for (const [name, value] of labels) length += [...name].length + [...value].length;
    if (length > EXEMPLAR_LABELS_LENGTH_MAX) {
      return `the exemplar's labels have ${length} characters, at most ${EXEMPLAR_LABELS_LENGTH_MAX}`;
    }
    const value = this.#number('exemplar value');
    if (typeof value === 'string') return value;
    const time = this.#isEnd() ? null : this.#time('exemplar timestamp');
    return typeof time === 'string' ? time : null;
  }

  /** A space, then a number. */
  #number(what: string): number | string {
    if (!this.#take(' ')) return `a space is missing before the ${what}`;
    const token = this.#match(TOKEN)?.[0] ?? '';
    const isHex = /x/i.test(token);
    const value = isHex ? null : parseGoFloat(token);
    return value ?? `${what} ${JSON.stringify(token)} is not a number`;
  }

  #time(what: string): number | string {
    const time = this.#number(what);
    if (typeof time === 'string' || Number.isFinite(time)) return time;
    return `${what} is not a time`;
  }

  #isExemplar(): boolean {
    return this.#line.startsWith(' # ', this.#at);
  }

  #isEnd(): boolean {
    return this.#at === this.#line.length;
  }

  #next(char: string): boolean {
    return this.#line[this.#at] === char && this.#take(char);
  }

  #take(char: string): boolean {
    if (this.#line[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#line);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }
}
