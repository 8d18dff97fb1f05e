// What the text formats have in common: a family is a header and sample lines, a sample line is the
// series, a value and perhaps a time. A dialect says how each part is written.

import type { Labels } from '../labels/labels.ts';
import { isLegacyMetricName } from '../labels/validate.ts';
import type { MetricFamily, MetricType } from '../telemetry/metrics.ts';
import {
  type EscapingScheme,
  escapeName,
  escapeValue,
  labelNameText,
  metricNameText,
} from './escaping.ts';

/** A family without its samples. */
export interface FamilyHeader {
  /** As exposed; a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly unit?: string;
}

/** One text format under one escaping scheme. */
export interface Dialect {
  readonly scheme: EscapingScheme;
  /** The lines before a family's samples, each ended by a newline. */
  header(family: FamilyHeader): string;
  /** The full name of a sample, before escaping. */
  sampleName(family: FamilyHeader, suffix: string): string;
  /** A sample's value; also a histogram's bound and a summary's quantile. */
  value(value: number): string;
  /** A sample's own time, from Unix ms. */
  time(ms: number): string;
  /** What ends the whole text. */
  readonly trailer: string;
}

/** A series as a sample line begins: `name{a="b"}`, or `{"other.name",a="b"}` where quoting is needed. */
export function seriesText(
  family: FamilyHeader,
  suffix: string,
  labels: Labels,
  dialect: Dialect,
): string {
  const name = escapeName(dialect.sampleName(family, suffix), dialect.scheme);
  const legacy = isLegacyMetricName(name);
  const parts = legacy ? [] : [metricNameText(name)];
  const bound = boundLabel(family.type, suffix);
  const { pairs } = labels;
  for (let i = 0; i < pairs.length; i += 2) {
    const raw = pairs[i + 1]!;
    const value = pairs[i] === bound ? boundText(raw, dialect) : escapeValue(raw);
    parts.push(`${labelNameText(escapeLabelName(pairs[i]!, dialect.scheme))}="${value}"`);
  }
  const inner = parts.length === 0 ? '' : `{${parts.join(',')}}`;
  return legacy ? name + inner : inner;
}

// A colon is legacy in metric names only; the schemes treat both alike, so it needs its own care.
function escapeLabelName(name: string, scheme: EscapingScheme): string {
  const escaped = escapeName(name, scheme);
  return scheme === 'allow-utf-8' ? escaped : escaped.replaceAll(':', '_');
}

function boundLabel(type: MetricType, suffix: string): string | null {
  if (suffix === '_bucket' && (type === 'histogram' || type === 'gaugehistogram')) return 'le';
  return suffix === '' && type === 'summary' ? 'quantile' : null;
}

// Bounds are numbers in label values: each format has its canonical spelling.
function boundText(raw: string, dialect: Dialect): string {
  if (raw === '+Inf') return raw;
  const bound = Number(raw);
  return raw === '' || Number.isNaN(bound) ? escapeValue(raw) : dialect.value(bound);
}

/** Writes families in their order; those without samples are left out. */
export function writeFamilies(families: readonly MetricFamily[], dialect: Dialect): string {
  let text = '';
  for (const family of families) {
    if (family.samples.length === 0) continue;
    text += dialect.header(family);
    for (const { suffix, labels, value, time } of family.samples) {
      text += `${seriesText(family, suffix, labels, dialect)} ${dialect.value(value)}`;
      text += time === undefined ? '\n' : ` ${dialect.time(time)}\n`;
    }
  }
  return text + dialect.trailer;
}
