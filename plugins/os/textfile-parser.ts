// Reads the text exposition format as people and their scripts write it: a line that is wrong is told and
// passed over, and the others count.

/** Types of a `# TYPE` line that are taken as they are; others are untyped. */
export type TextType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

/** A sample of a family. */
export interface TextSample {
  /** What the sample's name has after the family's. */
  readonly suffix: string;
  readonly labels: readonly (readonly [string, string])[];
  readonly value: number;
}

/** A metric and its samples. */
export interface TextFamily {
  readonly name: string;
  type: TextType;
  /** null where the file has none. */
  help: string | null;
  readonly samples: TextSample[];
}

/** What a file has. */
export interface ParsedText {
  readonly families: ReadonlyMap<string, TextFamily>;
  /** Number and reason of the first line that is wrong. */
  readonly problem: string | null;
  /** Lines that are wrong. */
  readonly wrong: number;
  /** True where a sample has a time of its own. */
  readonly hasTimes: boolean;
}

const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'summary']);
const SUFFIXES: Readonly<Partial<Record<TextType, readonly string[]>>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count'],
};
const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const COMMENT = new RegExp(`^#\\s*(HELP|TYPE)\\s+(${NAME})(?:\\s+(.*?))?\\s*$`);
const SAMPLE = new RegExp(
  `^(${NAME})\\s*(?:\\{((?:[^"}]|"(?:[^"\\\\]|\\\\.)*")*)\\})?\\s*(\\S+)(?:\\s+(\\S+))?$`,
);
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y;

/** Reads a whole file. */
export function parseText(text: string): ParsedText {
  const reader = new TextReader();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() !== '') reader.line(line.trim(), i + 1);
  }
  return reader;
}

class TextReader implements ParsedText {
  readonly families = new Map<string, TextFamily>();
  problem: string | null = null;
  wrong = 0;
  hasTimes = false;

  line(line: string, number: number): void {
    if (line.startsWith('#')) this.#comment(line);
    else {
      const reason = this.#sample(line);
      if (reason === null) return;
      this.wrong++;
      this.problem ??= `line ${number}: ${reason}`;
    }
  }

  #comment(line: string): void {
    const [, keyword, name, text = ''] = COMMENT.exec(line) ?? [];
    if (keyword === undefined) return;
    const family = this.#family(name!);
    if (keyword === 'HELP') family.help = unescapeText(text);
    else family.type = TYPES.has(text) ? (text as TextType) : 'unknown';
  }

  #sample(line: string): string | null {
    const [, name, written, number, time] = SAMPLE.exec(line) ?? [];
    if (name === undefined) return 'a metric name, labels in braces and a number expected';
    const labels = parseLabels(written ?? '');
    if (labels === null) return 'labels are not as in {name="value"}';
    const value = parseValue(number!);
    if (value === null) return `${number} is no number`;
    if (time !== undefined) this.hasTimes = true;
    const [family, suffix] = this.#familyOf(name);
    family.samples.push({ suffix, labels, value });
    return null;
  }

  /** The histogram or summary a sample is part of, or a family of its own name. */
  #familyOf(name: string): readonly [TextFamily, string] {
    const cut = name.lastIndexOf('_');
    const whole = this.families.get(name.slice(0, cut));
    const suffix = name.slice(cut);
    if (whole && SUFFIXES[whole.type]?.includes(suffix)) return [whole, suffix];
    return [this.#family(name), ''];
  }

  #family(name: string): TextFamily {
    let family = this.families.get(name);
    if (!family) {
      family = { name, type: 'unknown', help: null, samples: [] };
      this.families.set(name, family);
    }
    return family;
  }
}

function parseLabels(written: string): [string, string][] | null {
  const labels: [string, string][] = [];
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < written.length) {
    if (written.slice(LABEL.lastIndex).trim() === '') break;
    const [, name, value] = LABEL.exec(written) ?? [];
    if (name === undefined || labels.some(([known]) => known === name)) return null;
    labels.push([name, unescapeText(value!)]);
  }
  return labels;
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function parseValue(written: string): number | null {
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(written);
  if (special) {
    if (special[2]!.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? -Infinity : Infinity;
  }
  const value = Number(written);
  return Number.isNaN(value) ? null : value;
}
