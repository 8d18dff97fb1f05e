// Checks a text against all rules of OpenMetrics 1.0, not only those that a scraper needs: grouping, order,
// types, suffixes, histograms. Rules: github.com/prometheus/OpenMetrics, specification; which of its demands
// are errors follows that project's test cases.

import { isLegacyMetricName } from '../../labels/validate.ts';
import { METRIC_TYPES } from '../metric-types.ts';
import { HistogramRules } from './histogram-rules.ts';
import { parseSampleLine, type SampleLine } from './openmetrics-line.ts';

/** A broken rule at its line. */
export interface ExpositionProblem {
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  summary: ['', '_count', '_sum', '_created'],
  histogram: ['_count', '_sum', '_bucket', '_created'],
  gaugehistogram: ['_gcount', '_gsum', '_bucket'],
  info: ['_info'],
};
const NOT_NEGATIVE = ['_total', '_sum', '_count', '_bucket', '_gcount'];
const NOT_NAN = [...NOT_NEGATIVE, '_gsum'];
const WHOLE = ['_bucket', '_count', '_gcount'];

/** The first broken rule of a text, or null. */
export function openMetricsProblem(text: string): ExpositionProblem | null {
  const checker = new OpenMetricsChecker();
  const lines = text.split('\n');
  // What follows the last newline is no line.
  if (lines.at(-1) === '') lines.pop();
  for (const [i, line] of lines.entries()) {
    const message = checker.line(line);
    if (message !== null) return { line: i + 1, message };
  }
  const message = checker.end();
  return message === null ? null : { line: lines.length, message };
}

class OpenMetricsChecker {
  readonly #names = new Set<string>();
  #family: Family | null = null;
  #ended = false;

  line(line: string): string | null {
    if (this.#ended) return 'text after # EOF';
    if (line === '') return 'a blank line';
    if (line === '# EOF') {
      this.#ended = true;
      return null;
    }
    return line.startsWith('#') ? this.#metadata(line) : this.#sample(line);
  }

  end(): string | null {
    return this.#close() ?? (this.#ended ? null : 'the text ends without # EOF');
  }

  #metadata(line: string): string | null {
    const parts = /^# (HELP|TYPE|UNIT) ([^ ]*) (.*)$/.exec(line);
    if (!parts) return 'a line that begins with # is none of HELP, TYPE, UNIT and EOF';
    const [, keyword, name = '', text = ''] = parts;
    if (!isLegacyMetricName(name)) return `metric name "${name}" is not valid`;
    if (this.#family?.name !== name) {
      const problem = this.#close();
      if (problem !== null) return problem;
      this.#family = new Family(name);
    }
    return this.#family.describe(keyword!, text);
  }

  #sample(line: string): string | null {
    const sample = parseSampleLine(line);
    if (typeof sample === 'string') return sample;
    if (!this.#family?.has(sample.name)) {
      const problem = this.#close();
      if (problem !== null) return problem;
      this.#family = new Family(sample.name);
    }
    return this.#family.sample(sample);
  }

  /** Ends the current family; no other may have names of it. */
  #close(): string | null {
    const family = this.#family;
    if (family === null) return null;
    for (const name of family.names()) {
      if (this.#names.has(name)) return `the name ${name} belongs to two metric families`;
      this.#names.add(name);
    }
    return family.end();
  }
}

class Family {
  readonly name: string;
  #type: string | null = null;
  #help: string | null = null;
  #unit: string | null = null;
  #hasSamples = false;
  #group: string | null = null;
  #time: number | null = null;
  readonly #groups = new Set<string>();
  #histogram: HistogramRules | null = null;

  constructor(name: string) {
    this.name = name;
  }

  has(sampleName: string): boolean {
    return this.#suffixes().some(suffix => this.name + suffix === sampleName);
  }

  names(): Set<string> {
    return new Set([this.name, ...this.#suffixes().map(suffix => this.name + suffix)]);
  }

  describe(keyword: string, text: string): string | null {
    if (this.#hasSamples) return `# ${keyword} after the samples of ${this.name}`;
    const known = { HELP: this.#help, TYPE: this.#type, UNIT: this.#unit }[keyword];
    if (known !== null) return `more than one # ${keyword} of ${this.name}`;
    if (keyword === 'HELP') this.#help = text;
    else if (keyword === 'UNIT') this.#unit = text;
    else {
      if (!METRIC_TYPES.has(text) || text === 'untyped') return `unknown metric type "${text}"`;
      this.#type = text;
    }
    return null;
  }

  sample(sample: SampleLine): string | null {
    this.#hasSamples = true;
    const suffix = sample.name.slice(this.name.length);
    return (
      this.#labelProblem(suffix, sample) ??
      this.#groupProblem(suffix, sample) ??
      this.#valueProblem(suffix, sample) ??
      this.#histogram?.add(suffix, sample) ??
      null
    );
  }

  end(): string | null {
    const unit = this.#unit ?? '';
    if (unit !== '' && !this.name.endsWith(`_${unit}`)) {
      return `the name ${this.name} does not end with its unit ${unit}`;
    }
    if (unit !== '' && (this.#type === 'info' || this.#type === 'stateset')) {
      return `metrics of type ${this.#type} have no unit`;
    }
    return this.#histogram?.end() ?? null;
  }

  #suffixes(): readonly string[] {
    return SUFFIXES[this.#type ?? ''] ?? [''];
  }

  #labelProblem(suffix: string, { labels }: SampleLine): string | null {
    if (this.#type === 'stateset' && !labels.has(this.name)) {
      return `a state without the label ${this.name}`;
    }
    if (suffix === '_bucket' && this.#isHistogram()) {
      const le = labels.get('le') ?? '';
      if (Number.isNaN(number(le))) return `the bound le="${le}" is not a number`;
    }
    if (this.#type !== 'summary' || suffix !== '') return null;
    const quantile = labels.get('quantile') ?? '';
    const value = number(quantile);
    if (value >= 0 && value <= 1) return null;
    return `quantile="${quantile}" is not a number between 0 and 1`;
  }

  #groupProblem(suffix: string, sample: SampleLine): string | null {
    const group = this.#groupOf(suffix, sample.labels);
    const isSame = group === this.#group;
    if (this.#group !== null && !isSame && this.#groups.has(group)) {
      return 'samples of one metric do not stand together';
    }
    if (isSame && (sample.time === null) !== (this.#time === null)) {
      return 'some samples of a metric have a timestamp and some have none';
    }
    const isBack = this.#time !== null && sample.time !== null && this.#time > sample.time;
    if (isSame && isBack && this.#type !== 'info') return 'timestamps go back';
    let problem: string | null = null;
    if (this.#isHistogram() && (!isSame || sample.time !== this.#time)) {
      problem = this.#histogram?.end() ?? null;
      this.#histogram = new HistogramRules();
    }
    this.#group = group;
    this.#time = sample.time;
    this.#groups.add(group);
    return problem;
  }

  #groupOf(suffix: string, labels: ReadonlyMap<string, string>): string {
    // Metrics of type info cannot be told from each other.
    if (this.#type === 'info') return '';
    const own =
      this.#type === 'stateset'
        ? this.name
        : this.#type === 'summary' && suffix === ''
          ? 'quantile'
          : this.#isHistogram() && suffix === '_bucket'
            ? 'le'
            : null;
    const rest = [...labels].filter(([name]) => name !== own).sort();
    return JSON.stringify(rest);
  }

  #valueProblem(suffix: string, { value, hasExemplar }: SampleLine): string | null {
    const type = this.#type;
    if (WHOLE.includes(suffix) && !Number.isInteger(value)) return 'a count is not a whole number';
    if (type === 'stateset' && value !== 0 && value !== 1) return 'a state is neither 0 nor 1';
    if (type === 'info' && value !== 1) return 'the value of an info is not 1';
    if (type === 'summary' && suffix === '' && value < 0) return 'a quantile is below 0';
    if (NOT_NAN.includes(suffix) && Number.isNaN(value)) return 'a count or sum is NaN';
    if (NOT_NEGATIVE.includes(suffix) && value < 0) return 'a count or sum is below 0';
    const takesExemplars =
      (suffix === '_bucket' && this.#isHistogram()) || (suffix === '_total' && type === 'counter');
    if (hasExemplar && !takesExemplars) {
      return 'an exemplar stands at neither the total of a counter nor a bucket';
    }
    return null;
  }

  #isHistogram(): boolean {
    return this.#type === 'histogram' || this.#type === 'gaugehistogram';
  }
}

function number(text: string): number {
  return text === '' ? Number.NaN : Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'));
}
