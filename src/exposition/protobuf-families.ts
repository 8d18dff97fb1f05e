// The protobuf format: families as delimited MetricFamily messages of io.prometheus.client, which is the one
// format that has native histograms. Field numbers: prometheus/client_model metrics.proto.

import { ProtoWriter } from '../encoding/proto.ts';
import type { Labels } from '../labels/labels.ts';
import {
  type BucketSpan,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
} from '../storage/histogram.ts';
import type { MetricFamily, MetricSample, MetricType } from '../telemetry/metrics.ts';
import { type EscapingScheme, escapeName } from './escaping.ts';

/** A sample that may be a native histogram; its value is not looked at then. */
export interface ExposedSample extends MetricSample {
  readonly histogram?: FloatHistogram;
  /** Names of labels that are written without a value, so that a scraper does not put its own in their place. */
  readonly emptyLabels?: readonly string[];
}

/** A family whose samples may be native histograms. */
export interface ExposedFamily extends MetricFamily {
  readonly samples: readonly ExposedSample[];
}

const TYPES: Readonly<Record<MetricType, number>> = {
  counter: 0,
  gauge: 1,
  summary: 2,
  unknown: 3,
  // Both have the shape of gauges.
  info: 1,
  stateset: 1,
  histogram: 4,
  gaugehistogram: 5,
};
/** The field of Metric that has the value, by type. */
const BODIES: readonly number[] = [3, 2, 4, 5, 7, 7];
const SUMMARY = 2;
const HISTOGRAM = 4;

/** Writes families in their order; those without samples are left out. */
export function protobufFamilies(
  families: Iterable<ExposedFamily>,
  scheme: EscapingScheme,
): Uint8Array {
  const out = new ProtoWriter(65_536);
  const message = new ProtoWriter(65_536);
  for (const family of families) {
    if (family.samples.length === 0) continue;
    message.reset();
    writeFamily(message, family, scheme);
    out.varint(message.length);
    out.raw(message.finish());
  }
  return out.finish();
}

function writeFamily(out: ProtoWriter, family: ExposedFamily, scheme: EscapingScheme): void {
  const type = TYPES[family.type];
  out.stringField(1, escapeName(family.name, scheme));
  if (family.help !== '') out.stringField(2, family.help);
  out.varintField(3, type);
  const isCompound = type === SUMMARY || type >= HISTOGRAM;
  const metrics = isCompound ? compounds(family.samples) : family.samples.map(one => [one]);
  for (const samples of metrics) {
    const { labels, time, histogram, emptyLabels = [] } = samples[0]!;
    out.messageField(4, () => {
      writeLabels(out, isCompound ? labels.without(['le', 'quantile']) : labels, scheme);
      for (const name of emptyLabels) out.messageField(1, () => out.stringField(1, name));
      out.messageField(BODIES[type]!, () => {
        if (histogram) writeHistogram(out, histogram);
        else if (isCompound) writeCompound(out, samples, type === SUMMARY);
        else out.doubleField(1, samples[0]!.value);
      });
      if (time !== undefined) out.int64Field(6, time);
    });
  }
  if (family.unit) out.stringField(5, family.unit);
}

/** The samples of each histogram or summary, which stand together. */
function compounds(samples: readonly ExposedSample[]): ExposedSample[][] {
  const groups: ExposedSample[][] = [];
  let key: string | null = null;
  for (const sample of samples) {
    const own = sample.labels.without(['le', 'quantile']).key;
    if (own !== key || sample.histogram) groups.push([]);
    groups.at(-1)!.push(sample);
    key = own;
  }
  return groups;
}

function writeLabels(out: ProtoWriter, labels: Labels, scheme: EscapingScheme): void {
  for (const [name, value] of labels) {
    const escaped = escapeName(name, scheme);
    out.messageField(1, () => {
      out.stringField(1, scheme === 'allow-utf-8' ? escaped : escaped.replaceAll(':', '_'));
      out.stringField(2, value);
    });
  }
}

/** Summary and histogram have count, sum and their parts under the same numbers. */
function writeCompound(
  out: ProtoWriter,
  samples: readonly ExposedSample[],
  isSummary: boolean,
): void {
  for (const { suffix, labels, value } of samples) {
    if (suffix === '_count' || suffix === '_gcount') out.varintField(1, Math.max(0, value));
    else if (suffix === '_sum' || suffix === '_gsum') out.doubleField(2, value);
    else if (suffix === '_bucket' && !isSummary) {
      writeBucket(out, bound(labels.get('le')), value);
    } else if (suffix === '' && isSummary) {
      out.messageField(3, () => {
        out.doubleField(1, bound(labels.get('quantile')));
        out.doubleField(2, value);
      });
    }
  }
}

function writeBucket(out: ProtoWriter, upper: number, count: number): void {
  out.messageField(3, () => {
    if (Number.isInteger(count)) out.varintField(1, count);
    else out.doubleField(4, count);
    out.doubleField(2, upper);
  });
}

function bound(text: string): number {
  return Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'));
}

function writeHistogram(out: ProtoWriter, histogram: FloatHistogram): void {
  const isInteger = histogram.integer === true;
  if (isInteger) out.varintField(1, histogram.count);
  else out.doubleField(4, histogram.count);
  out.doubleField(2, histogram.sum);
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA) {
    customBuckets(histogram, (upper, count) => writeBucket(out, upper, count));
    return;
  }
  signedField(out, 5, histogram.schema);
  out.doubleField(6, histogram.zeroThreshold);
  if (isInteger) out.varintField(7, histogram.zeroCount);
  else out.doubleField(8, histogram.zeroCount);
  writeSide(out, 9, { ...sideOf(histogram, 'negative'), isInteger });
  writeSide(out, 12, { ...sideOf(histogram, 'positive'), isInteger });
  const hasBuckets = histogram.positiveSpans.length + histogram.negativeSpans.length > 0;
  // An empty span says that it is native all the same.
  if (!hasBuckets) writeSpan(out, 12, { offset: 0, length: 0 });
}

interface Side {
  readonly spans: readonly BucketSpan[];
  readonly buckets: Float64Array;
  readonly isInteger: boolean;
}

function sideOf(histogram: FloatHistogram, side: 'negative' | 'positive'): Omit<Side, 'isInteger'> {
  return side === 'negative'
    ? { spans: histogram.negativeSpans, buckets: histogram.negativeBuckets }
    : { spans: histogram.positiveSpans, buckets: histogram.positiveBuckets };
}

/** Spans under `field`; differences of whole counts under the next number, other counts under the one after. */
function writeSide(out: ProtoWriter, field: number, { spans, buckets, isInteger }: Side): void {
  for (const span of spans) writeSpan(out, field, span);
  let before = 0;
  for (const count of buckets) {
    if (isInteger) signedField(out, field + 1, count - before);
    else out.doubleField(field + 2, count);
    before = count;
  }
}

function writeSpan(out: ProtoWriter, field: number, { offset, length }: BucketSpan): void {
  out.messageField(field, () => {
    signedField(out, 1, offset);
    out.varintField(2, length);
  });
}

/** A zig-zag varint. */
function signedField(out: ProtoWriter, field: number, value: number): void {
  out.varintField(field, value < 0 ? -2 * value - 1 : 2 * value);
}

/** Calls with each bound of a histogram with custom buckets and the count up to it, +Inf last. */
export function customBuckets(
  { customValues, positiveSpans, positiveBuckets }: FloatHistogram,
  onBucket: (upper: number, count: number) => void,
): void {
  const counts = new Float64Array(customValues.length + 1);
  let bucket = 0;
  let at = 0;
  for (const { offset, length } of positiveSpans) {
    bucket += offset;
    for (let i = 0; i < length; i++) counts[bucket++] = positiveBuckets[at++]!;
  }
  let below = 0;
  for (const [i, count] of counts.entries()) {
    below += count;
    onBucket(customValues[i] ?? Number.POSITIVE_INFINITY, below);
  }
}
