// Federation: the newest sample of every series of a selection, as a page that a Prometheus scrapes.
// Behaviour: prometheus/prometheus web/federate.go.

import { formatTextFloat } from '../../encoding/format-float.ts';
import {
  escapeName,
  escapeValue,
  labelNameText,
  metricNameText,
} from '../../exposition/escaping.ts';
import { type Exposition, negotiateAnyExposition } from '../../exposition/negotiate.ts';
import {
  type ExposedFamily,
  type ExposedSample,
  protobufFamilies,
} from '../../exposition/protobuf-families.ts';
import { compareStrings } from '../../labels/compare.ts';
import { Labels, METRIC_NAME } from '../../labels/labels.ts';
import type { Matcher } from '../../labels/matcher.ts';
import { isLegacyMetricName } from '../../labels/validate.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../../storage/histogram.ts';
import type { Querier } from '../../storage/queryable.ts';
import { SampleColumns } from '../../storage/samples.ts';
import type { Series } from '../../storage/series.ts';
import { isStale, isStaleAt } from '../../storage/stale.ts';
import type { MetricType } from '../../telemetry/metrics.ts';
import { API_LIMITS, type ApiOptions } from '../options.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';

const LOOKBACK_MS = 300_000;

/** `/federate`. */
export function federateRoutes(options: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/federate',
      handle: request => answerFederate(options, request),
    },
  ];
}

/** The newest sample of a series that is not its end. */
interface Newest {
  readonly labels: Labels;
  readonly time: number;
  readonly value: number;
  readonly histogram: FloatHistogram | null;
}

async function answerFederate(options: ApiOptions, request: ApiRequest): Promise<ApiAnswer> {
  const { headers, parameters, signal } = request;
  const { clock, lookbackMs = LOOKBACK_MS } = options;
  const exposition = negotiateAnyExposition(withoutOpenMetrics(headers.accept));
  const selectors = parameters.anySelectors();
  const found = new NewestSamples(options.limits?.listMax ?? API_LIMITS.listMax);
  const now = clock.now();
  // A page has no place for warnings that a scraper would see, so a part that is missing is an error.
  const queryable = options.queryableFor(parameters.withDefault('partial_response', 'false'));
  const querier = queryable.querier(now - lookbackMs, now);
  const slicer = new Slicer(() => clock.monotonic(), signal);
  try {
    for (const matchers of selectors) await found.read(querier, matchers, { signal, slicer });
  } finally {
    querier.close();
  }
  const external = options.externalLabels?.() ?? Labels.empty;
  if (exposition.format === 'protobuf') {
    const body = protobufFamilies(
      exposedFamilies(found.sorted(), external),
      exposition.dialect.scheme,
    );
    return { kind: 'bytes', contentType: withScheme(exposition), body };
  }
  return {
    kind: 'plain',
    status: 200,
    contentType: withScheme(exposition),
    text: '',
    pieces: pagePieces(found, external, exposition),
  };
}

/** The formats here are those in which a sample may have a time in the past. */
function withoutOpenMetrics(accept: string | undefined): string | undefined {
  return accept
    ?.split(',')
    .filter(part => !part.trim().toLowerCase().startsWith('application/openmetrics-text'))
    .join(',');
}

/** How names are escaped is said in any case, as Prometheus says it of this page alone. */
function withScheme({ contentType, dialect }: Exposition): string {
  return contentType.includes('escaping=')
    ? contentType
    : `${contentType}; escaping=${dialect.scheme}`;
}

class NewestSamples {
  readonly warnings: string[] = [];
  readonly #max: number;
  readonly #columns = new SampleColumns();
  readonly #byKey = new Map<string, Newest>();

  constructor(max: number) {
    this.#max = max;
  }

  async read(
    querier: Querier,
    matchers: readonly Matcher[],
    { signal, slicer }: { readonly signal: AbortSignal; readonly slicer: Slicer },
  ): Promise<void> {
    const set = await querier.select(matchers, { signal, hints: { func: 'series' } });
    try {
      for (let batch = await set.next(); batch; batch = await set.next()) {
        for (const series of batch) {
          this.#add(series);
          if (slicer.due) await slicer.pause();
        }
      }
      this.warnings.push(...set.warnings);
    } finally {
      set.close();
    }
  }

  /** By metric name, those of one name by labels. */
  sorted(): Newest[] {
    return [...this.#byKey.values()].sort(
      (a, b) =>
        compareStrings(a.labels.get(METRIC_NAME), b.labels.get(METRIC_NAME)) ||
        a.labels.compareTo(b.labels),
    );
  }

  #add(series: Series): void {
    const columns = this.#columns;
    columns.clear();
    series.samples(columns);
    const at = columns.length - 1;
    const histogram = columns.histograms?.[at] ?? null;
    if (at < 0 || (histogram ? isStale(histogram.sum) : isStaleAt(columns.values, at))) return;
    const { labels } = series;
    // Without a name there is no line.
    if (labels.get(METRIC_NAME) === '') return;
    if (this.#byKey.size >= this.#max && !this.#byKey.has(labels.key)) {
      const text = `federate: more than ${this.#max} series match; narrow match[]`;
      throw new OutpostError('limit-exceeded', text);
    }
    const [time, value] = [columns.times[at]!, columns.values[at]!];
    this.#byKey.set(labels.key, { labels, time, value, histogram });
  }
}

/** Families by metric name and kind. */
function exposedFamilies(samples: readonly Newest[], external: Labels): ExposedFamily[] {
  const families: (Omit<ExposedFamily, 'samples'> & { samples: ExposedSample[] })[] = [];
  for (const { labels, histogram, value, time } of samples) {
    const name = labels.get(METRIC_NAME);
    const type: MetricType = histogram ? 'histogram' : 'unknown';
    const last = families.at(-1);
    if (last?.name !== name || last.type !== type) {
      families.push({ name, type, help: '', samples: [] });
    }
    const own = external.merge(labels).without([METRIC_NAME]);
    families.at(-1)!.samples.push({
      ...{ suffix: '', labels: own, value, time },
      ...(own.get('instance') === '' && { emptyLabels: ['instance'] }),
      ...(histogram && { histogram }),
    });
  }
  return families;
}

function* pagePieces(
  found: NewestSamples,
  external: Labels,
  exposition: Exposition,
): Generator<string> {
  for (const warning of found.warnings) yield `# warning: ${warning.replaceAll('\n', ' ')}\n`;
  const { scheme } = exposition.dialect;
  const added: [string, string][] = [...external];
  // With an empty instance of its own, a scrape that honours labels leaves the scraper's away.
  if (external.get('instance') === '') added.push(['instance', '']);
  added.sort(([a], [b]) => compareStrings(a, b));
  let family = '';
  for (const sample of found.sorted()) {
    const { labels, histogram } = sample;
    const isClassic = histogram?.schema === CUSTOM_BUCKETS_SCHEMA;
    // The text format has no native histograms.
    if (histogram && !isClassic) continue;
    const name = labels.get(METRIC_NAME);
    const shown = escapeName(name, scheme);
    const header = `# TYPE ${metricNameText(shown)} ${isClassic ? 'histogram' : 'untyped'}\n`;
    if (header !== family) yield header;
    family = header;
    const write = (suffix: string, value: number, le?: string): string => {
      const pairs = [...labels].filter(([label]) => label !== METRIC_NAME);
      const missing = added.filter(([label]) => labels.get(label) === '');
      const bound: [string, string][] = le === undefined ? [] : [['le', le]];
      const series = seriesOf(shown + suffix, [...pairs, ...missing, ...bound], exposition);
      return `${series} ${formatTextFloat(value)} ${sample.time}\n`;
    };
    yield histogram ? classicLines(histogram, write) : write('', sample.value);
  }
}

function seriesOf(
  name: string,
  pairs: readonly (readonly [string, string])[],
  { dialect }: Exposition,
): string {
  const legacy = isLegacyMetricName(name);
  const parts = legacy ? [] : [metricNameText(name)];
  for (const [label, value] of pairs) {
    parts.push(`${labelNameText(escapeName(label, dialect.scheme))}="${escapeValue(value)}"`);
  }
  const inner = parts.length === 0 ? '' : `{${parts.join(',')}}`;
  return legacy ? name + inner : inner;
}

/** A histogram with custom buckets in the lines of a classic one. */
function classicLines(
  histogram: FloatHistogram,
  write: (suffix: string, value: number, le?: string) => string,
): string {
  const { customValues, positiveBuckets, positiveSpans, count, sum } = histogram;
  const counts = new Float64Array(customValues.length + 1);
  let bucket = 0;
  let at = 0;
  for (const { offset, length } of positiveSpans) {
    bucket += offset;
    for (let i = 0; i < length; i++) counts[bucket++] = positiveBuckets[at++]!;
  }
  let text = '';
  let below = 0;
  for (const [i, bound] of customValues.entries()) {
    below += counts[i]!;
    if (bound !== Number.POSITIVE_INFINITY) text += write('_bucket', below, formatTextFloat(bound));
  }
  text += write('_bucket', count, '+Inf');
  return text + write('_sum', sum) + write('_count', count);
}
