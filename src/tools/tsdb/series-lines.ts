// Series as lines of text: promtool's dump, OpenMetrics, and JSON.

import { escapeValue, labelNameText, metricNameText } from '../../exposition/escaping.ts';
import { type Labels, METRIC_NAME } from '../../labels/labels.ts';
import { isLegacyLabelName, isLegacyMetricName } from '../../labels/validate.ts';
import { formatHistogram } from '../../promql/histogram/format.ts';
import type { FloatHistogram } from '../../storage/histogram.ts';
import type { SampleColumns } from '../../storage/samples.ts';
import { isStaleAt } from '../../storage/stale.ts';
import { goFloat, goQuote } from './go-text.ts';

/** How samples are written. `lines` gives the text of samples from…to−1 of one series. */
export interface LineFormat {
  /** False where a series has one line whatever its samples. */
  readonly readsSamples: boolean;
  /** False where native histograms cannot be written and are left out. */
  readonly carriesHistograms: boolean;
  lines(labels: Labels, samples: SampleColumns, from: number, to: number): string;
  /** Written after everything. */
  readonly trailer: string;
}

/** `{__name__="up", job="x"} 1 1700000000000`, as promtool prints it. */
export const promFormat: LineFormat = {
  readsSamples: true,
  carriesHistograms: true,
  trailer: '',
  lines(labels, { times, values, histograms }, from, to) {
    const prefix = promLabels(labels);
    let text = '';
    for (let i = from; i < to; i++) {
      const histogram = histograms?.[i];
      const value = histogram ? histogramText(histogram) : goFloat(values[i]!);
      text += `${prefix} ${value} ${times[i]}\n`;
    }
    return text;
  },
};

/** `up{job="x"} 1 1700000000.000`. Histograms have no such line and are left out. */
export const openMetricsFormat: LineFormat = {
  readsSamples: true,
  carriesHistograms: false,
  trailer: '# EOF\n',
  lines(labels, { times, values, histograms }, from, to) {
    const prefix = openMetricsSeries(labels);
    let text = '';
    for (let i = from; i < to; i++) {
      if (histograms?.[i]) continue;
      text += `${prefix} ${goFloat(values[i]!)} ${(times[i]! / 1000).toFixed(3)}\n`;
    }
    return text;
  },
};

/** One object a line: labels and [Unix ms, value as text] pairs. A staleness marker is `stale`. */
export const jsonFormat: LineFormat = {
  readsSamples: true,
  carriesHistograms: true,
  trailer: '',
  lines(labels, { times, values, histograms }, from, to) {
    let text = `{"labels":${JSON.stringify(labels.toObject())},"samples":[`;
    for (let i = from; i < to; i++) {
      const histogram = histograms?.[i];
      const value = isStaleAt(values, i) ? 'stale' : goFloat(values[i]!);
      const shown = JSON.stringify(histogram ? histogramText(histogram) : value);
      text += `${i > from ? ',' : ''}[${times[i]},${shown}]`;
    }
    return `${text}]}\n`;
  },
};

/** Label sets alone, one object a line, as promtool's `seriesjson`. */
export const seriesJsonFormat: LineFormat = {
  readsSamples: false,
  carriesHistograms: true,
  trailer: '',
  lines: labels => `${JSON.stringify(labels.toObject())}\n`,
};

function promLabels(labels: Labels): string {
  const parts: string[] = [];
  for (const [name, value] of labels) {
    parts.push(`${isLegacyLabelName(name) ? name : goQuote(name)}=${goQuote(value)}`);
  }
  return `{${parts.join(', ')}}`;
}

function openMetricsSeries(labels: Labels): string {
  const metric = labels.get(METRIC_NAME);
  const legacy = isLegacyMetricName(metric);
  const parts = legacy || metric === '' ? [] : [metricNameText(metric)];
  for (const [name, value] of labels) {
    if (name !== METRIC_NAME) parts.push(`${labelNameText(name)}="${escapeValue(value)}"`);
  }
  return `${legacy ? metric : ''}{${parts.join(',')}}`;
}

// Integer counts are never written with an exponent.
function histogramText(histogram: FloatHistogram): string {
  const text = formatHistogram(histogram);
  return histogram.integer ? text.replace(/^\{count:[^,}]+/, `{count:${histogram.count}`) : text;
}
