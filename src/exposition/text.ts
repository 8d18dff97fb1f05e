// The Prometheus text format, versions 0.0.4 and 1.0.0 (they differ only in the negotiated escaping).

import { formatTextFloat } from '../encoding/format-float.ts';
import type { MetricType } from '../telemetry/metrics.ts';
import type { Dialect } from './dialect.ts';
import { type EscapingScheme, escapeHelp, escapeName, metricNameText } from './escaping.ts';

// The format knows five types. Info and state sets have the shape of gauges; a gauge histogram's _gsum
// and _gcount belong to no type here.
const TEXT_TYPES: Readonly<Record<MetricType, string>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
  info: 'gauge',
  stateset: 'gauge',
  gaugehistogram: 'untyped',
  unknown: 'untyped',
};

/** The text format under a scheme. */
export function textDialect(scheme: EscapingScheme): Dialect {
  return {
    scheme,
    header({ name, help, type }) {
      const shown = metricNameText(escapeName(name, scheme));
      const helpLine = help === '' ? '' : `# HELP ${shown} ${escapeHelp(help)}\n`;
      return `${helpLine}# TYPE ${shown} ${TEXT_TYPES[type]}\n`;
    },
    sampleName: ({ name }, suffix) => name + suffix,
    value: formatTextFloat,
    time: ms => String(Math.round(ms)),
    trailer: '',
  };
}
