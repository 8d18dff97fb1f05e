// Queries by a grammar of the language: every function, aggregation, operator and modifier that the peer
// knows. Most of them make sense; some fail, and then have to fail in both servers.

import { METRICS } from './dataset.ts';
import { chance, pick, type Random, some } from './random.ts';

/** What the peer's version knows. */
export interface Language {
  /** 3.0 and later. */
  readonly isV3: boolean;
  /** Times that `@` may name, in seconds. */
  readonly times: readonly number[];
}

const LABELS = ['job', 'instance', 'zone', 'code', 'kind', 'version', 'le'];
const GROUPINGS = ['job', 'instance', 'zone', 'code', 'absent_label'];
const RANGES = ['1m', '90s', '5m', '10m', '17m'];
const SUB_STEPS = ['', '20s', '1m', '45s'];
const NUMBERS = [
  '0',
  '1',
  '2',
  '-1',
  '0.5',
  '100',
  '1e3',
  '-0',
  'NaN',
  'Inf',
  '-Inf',
  '0x1F',
  '60',
];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'];
const COMPARISON = ['==', '!=', '>', '<', '>=', '<='];

const MATH = [
  ...['abs', 'ceil', 'floor', 'exp', 'ln', 'log2', 'log10', 'sqrt', 'sgn', 'deg', 'rad'],
  ...[
    'sin',
    'cos',
    'tan',
    'asin',
    'acos',
    'atan',
    'sinh',
    'cosh',
    'tanh',
    'asinh',
    'acosh',
    'atanh',
  ],
];
const DATES = [
  ...['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month'],
  ...['month', 'year'],
];
const COUNTER_FUNCTIONS = ['rate', 'increase', 'irate', 'resets'];
const GAUGE_FUNCTIONS = ['delta', 'idelta', 'deriv', 'changes'];
const OVER_TIME = [
  ...['avg', 'min', 'max', 'sum', 'count', 'stddev', 'stdvar', 'last', 'present', 'absent'],
];
const OVER_TIME_V3 = ['mad', 'first', 'ts_of_min', 'ts_of_max', 'ts_of_first', 'ts_of_last'];
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];

/** Instant queries whose answers have an order: values are distinct. */
export const ORDERED: ReadonlySet<string> = new Set(
  ['g', 'other', 'requests_total', 'rate(latency_count[5m])', 'g + 1'].flatMap(inner => [
    `sort(${inner})`,
    `sort_desc(${inner})`,
    ...[1, 2, 3, 100].flatMap(k => [`topk(${k}, ${inner})`, `bottomk(${k}, ${inner})`]),
  ]),
);

/** Generates queries; the random source decides everything. */
export class QueryGenerator {
  readonly #random: Random;
  readonly #language: Language;
  /** Subqueries around the place at hand. */
  #subqueries = 0;

  constructor(random: Random, language: Language) {
    this.#random = random;
    this.#language = language;
  }

  /** The next query; instant ones may be of any type. */
  query(kind: 'instant' | 'range'): string {
    this.#subqueries = 0;
    if (kind === 'instant' && chance(this.#random, 0.04)) return this.#matrix(2, METRICS.gauges);
    if (kind === 'instant' && chance(this.#random, 0.06)) return this.#sorted();
    if (chance(this.#random, 0.06)) return this.#scalar(2);
    return this.#vector(3);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return pick(this.#random, items);
  }

  #chance(probability: number): boolean {
    return chance(this.#random, probability);
  }

  #sorted(): string {
    return this.#pick([...ORDERED]);
  }

  #scalar(depth: number): string {
    if (depth === 0 || this.#chance(0.6)) return this.#pick(NUMBERS);
    if (this.#language.isV3 && this.#chance(0.2)) {
      return `${this.#pick(['min_of', 'max_of'])}(${this.#scalar(0)}, ${this.#scalar(0)})`;
    }
    return this.#pick([
      () => `scalar(${this.#vector(depth - 1)})`,
      () => 'time()',
      () => 'pi()',
      () => `(${this.#scalar(depth - 1)} ${this.#pick(ARITHMETIC)} ${this.#scalar(depth - 1)})`,
      () =>
        `(${this.#scalar(depth - 1)} ${this.#pick(COMPARISON)} bool ${this.#scalar(depth - 1)})`,
      () => `-${this.#scalar(depth - 1)}`,
    ])();
  }

  #vector(depth: number): string {
    if (depth === 0) return this.#selector(this.#anyMetric());
    const parts: (() => string)[] = [
      () => this.#selector(this.#anyMetric()),
      () => this.#aggregation(depth),
      () => this.#aggregation(depth),
      () => this.#rangeCall(depth),
      () => this.#rangeCall(depth),
      () => this.#call(depth),
      () => this.#call(depth),
      () => this.#binary(depth),
      () => this.#binary(depth),
      () => this.#setOperation(depth),
      () => this.#labelCall(depth),
      () => this.#histogramCall(depth),
      () => `-${this.#vector(depth - 1)}`,
      () => `(${this.#vector(depth - 1)})`,
    ];
    return this.#pick(parts)();
  }

  #anyMetric(): string {
    return this.#pick([...METRICS.gauges, ...METRICS.counters, METRICS.special, METRICS.buckets]);
  }

  #selector(metric: string): string {
    const matchers = this.#chance(0.35) ? [this.#matcher()] : [];
    if (this.#chance(0.05)) matchers.push(this.#matcher());
    const name = this.#chance(0.05)
      ? `{${[`__name__="${metric}"`, ...matchers].join(',')}}`
      : `${metric}${matchers.length > 0 ? `{${matchers.join(',')}}` : ''}`;
    return name + this.#modifiers();
  }

  #matcher(): string {
    return this.#pick([
      'job="api"',
      'job!="api"',
      'job=~"a.*|x"',
      'instance=~"i[01]"',
      'instance!~".*1"',
      'zone="süd"',
      'zone=~"(?i)NOR.H"',
      'code="500"',
      'code!~"5.."',
      'kind!="nan"',
      'kind=~"zero|negzero|big"',
      'missing=""',
      'zone=~".+"',
      'instance=~"i0|i2"',
    ]);
  }

  #modifiers(): string {
    const offset = this.#chance(0.12) ? ` offset ${this.#pick(['1m', '7m', '-2m', '30s'])}` : '';
    const at = this.#chance(0.08)
      ? ` @ ${this.#pick([...this.#language.times.map(String), 'start()', 'end()'])}`
      : '';
    return this.#chance(0.5) ? offset + at : at + offset;
  }

  /** A range vector over any of the metrics. */
  #matrix(depth: number, metrics: readonly string[]): string {
    const subqueriesMax = this.#language.isV3 ? 2 : 1;
    if (depth > 0 && this.#subqueries < subqueriesMax && this.#chance(0.2)) {
      this.#subqueries++;
      const inner = this.#vector(depth - 1);
      this.#subqueries--;
      const text = `(${inner})[${this.#pick(RANGES)}:${this.#pick(SUB_STEPS)}]`;
      return text + this.#modifiers();
    }
    const matchers = this.#chance(0.3) ? `{${this.#matcher()}}` : '';
    return `${this.#pick(metrics)}${matchers}[${this.#pick(RANGES)}]${this.#modifiers()}`;
  }

  #rangeCall(depth: number): string {
    const gauges = [...METRICS.gauges, METRICS.special];
    const { counters } = METRICS;
    const overTime = this.#language.isV3 ? [...OVER_TIME, ...OVER_TIME_V3] : OVER_TIME;
    return this.#pick([
      () => `${this.#pick(COUNTER_FUNCTIONS)}(${this.#matrix(depth - 1, counters)})`,
      () => `${this.#pick(GAUGE_FUNCTIONS)}(${this.#matrix(depth - 1, gauges)})`,
      () =>
        `${this.#pick(overTime)}_over_time(${this.#matrix(depth - 1, [...gauges, ...counters])})`,
      () => `quantile_over_time(${this.#quantile()}, ${this.#matrix(depth - 1, gauges)})`,
      () =>
        `predict_linear(${this.#matrix(depth - 1, gauges)}, ${this.#pick(['60', '-30', '3600'])})`,
    ])();
  }

  #quantile(): string {
    return this.#pick(['0', '0.1', '0.5', '0.9', '0.99', '1', '-1', '2', 'NaN', '0.25']);
  }

  #call(depth: number): string {
    const inner = this.#vector(depth - 1);
    return this.#pick([
      () => `${this.#pick(MATH)}(${inner})`,
      () => `${this.#pick(MATH)}(${inner})`,
      () => `${this.#pick(DATES)}(${this.#chance(0.3) ? '' : inner})`,
      () => `round(${inner}${this.#chance(0.5) ? `, ${this.#pick(['0.1', '5', '0.25'])}` : ''})`,
      () => `clamp(${inner}, ${this.#scalar(1)}, ${this.#scalar(1)})`,
      () => `${this.#pick(['clamp_min', 'clamp_max'])}(${inner}, ${this.#scalar(1)})`,
      () => `timestamp(${inner})`,
      () => `absent(${inner})`,
      () => `vector(${this.#scalar(depth - 1)})`,
      () => `${this.#pick(['sort', 'sort_desc'])}(${inner})`,
    ])();
  }

  #aggregation(depth: number): string {
    const inner = this.#vector(depth - 1);
    const names = some(this.#random, GROUPINGS).join(', ');
    const grouping = this.#chance(0.7) ? ` ${this.#pick(['by', 'without'])} (${names})` : '';
    const [before, after] = this.#chance(0.5) ? [grouping, ''] : ['', grouping];
    const call = this.#pick([
      () => [this.#pick(AGGREGATIONS), inner],
      () => [this.#pick(AGGREGATIONS), inner],
      () => ['quantile', `${this.#quantile()}, ${inner}`],
      () => ['count_values', `"value", ${this.#pick(['level', 'info', 'round(g, 20)'])}`],
      // Ties are broken by an order that nobody defines.
      () => [
        this.#pick(['topk', 'bottomk']),
        `${this.#pick(['1', '2', '4', '0', '-1'])}, ${this.#pick(['g', 'other', 'requests_total'])}${this.#modifiers()}`,
      ],
    ])();
    return `${call[0]}${before} (${call[1]})${after}`;
  }

  #matching(): string {
    const names = some(this.#random, ['job', 'instance', 'zone', 'code'], 1).join(', ');
    return this.#chance(0.5) ? ` on (${names})` : ` ignoring (${names})`;
  }

  /** Where one side has nothing, in the newest versions. */
  #fill(): string {
    if (!this.#language.isV3 || this.#chance(0.8)) return '';
    return ` ${this.#pick(['fill', 'fill_left', 'fill_right'])} (${this.#pick(['0', '7', '1e5'])})`;
  }

  #binary(depth: number): string {
    const isComparison = this.#chance(0.4);
    const op = this.#pick(isComparison ? COMPARISON : ARITHMETIC);
    const bool = isComparison && this.#chance(0.4) ? ' bool' : '';
    const left = this.#vector(depth - 1);
    return this.#pick([
      () => `${left} ${op}${bool} ${this.#scalar(1)}`,
      () => `${this.#scalar(1)} ${op}${bool} ${left}`,
      () => `g ${op}${bool}${this.#fill()} other`,
      () => `${left} ${op}${bool} ${this.#vector(depth - 1)}`,
      () => `${left} ${op}${bool}${this.#matching()}${this.#fill()} ${this.#vector(depth - 1)}`,
      () => `${this.#pick(['g', 'level', left])} ${op}${bool} on (job)${this.#fill()} target`,
      () => `g ${op}${bool} on (job) group_left ()${this.#fill()} target`,
      () => `g ${op}${bool} on (job, instance) group_left (version) info`,
      () => `target ${op}${bool} on (job) group_right () requests_total`,
      () =>
        `requests_total${this.#modifiers()} ${op}${bool} ignoring (code) group_left (${this.#pick(['', 'zone'])}) g`,
      () => `sum by (job) (${left}) ${op}${bool} avg by (job) (${this.#vector(depth - 1)})`,
    ])();
  }

  #setOperation(depth: number): string {
    const op = this.#pick(['and', 'or', 'unless']);
    const matching = this.#chance(0.5) ? this.#matching() : '';
    return `${this.#vector(depth - 1)} ${op}${matching} ${this.#vector(depth - 1)}`;
  }

  #labelCall(depth: number): string {
    const inner = this.#vector(depth - 1);
    const target = this.#pick(['dst', 'job', '__name__', 'instance']);
    const source = this.#pick([...LABELS, '__name__']);
    const [regex, replacement] = this.#pick([
      ['(.*)', 'x-$1'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's notation.
      ['i(\\\\d)', '${1}-$1'],
      ['(?P<first>.).*', '$first'],
      ['.*', ''],
      ['nothing', 'x'],
      ['a(p)(i)?', '$2$1$3'],
    ] as const);
    return this.#pick([
      () => `label_replace(${inner}, "${target}", "${replacement}", "${source}", "${regex}")`,
      () => `label_join(${inner}, "${target}", "-", "job", "${source}")`,
      () =>
        `label_join(${inner}, "dst", ",", ${this.#chance(0.5) ? '"zone", "code"' : '"absent_label"'})`,
    ])();
  }

  #histogramCall(depth: number): string {
    const buckets = this.#pick([
      'latency_bucket',
      'rate(latency_bucket[5m])',
      'sum by (le) (rate(latency_bucket[5m]))',
      'sum without (job) (latency_bucket)',
      this.#vector(depth - 1),
    ]);
    const native = this.#pick([
      'native',
      'rate(native[5m])',
      'sum(native)',
      'increase(native[10m])',
    ]);
    const parts = [
      () => `histogram_quantile(${this.#quantile()}, ${buckets})`,
      () => `histogram_count(${native})`,
      () => `histogram_sum(${native})`,
    ];
    const newer = [
      () => `histogram_quantile(${this.#quantile()}, ${native})`,
      () =>
        `histogram_fraction(${this.#pick(['0', '1', '-Inf'])}, ${this.#pick(['2', 'Inf', '1.5'])}, ${native})`,
      () => `histogram_avg(${native})`,
      () => `histogram_stddev(${native})`,
      () => `histogram_stdvar(${native})`,
      () => native,
      () => `limitk(100, ${buckets})`,
      () => `limit_ratio(${this.#pick(['0.5', '-0.5', '1', '0'])}, ${buckets})`,
      () =>
        `sort_by_label(${this.#pick(['g', 'requests_total'])}, "zone", "instance", "job", "code")`,
      () => `double_exponential_smoothing(g[${this.#pick(RANGES)}], 0.3, 0.6)`,
    ];
    return this.#pick(this.#language.isV3 ? [...parts, ...newer] : parts)();
  }
}
