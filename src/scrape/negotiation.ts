// What a target is asked for, and what its answer is read as.

import type { EscapingScheme } from '../exposition/escaping.ts';
import { ProtobufScanner } from '../exposition/scan/protobuf-scanner.ts';
import type { SampleScanner, ScrapeFormat } from '../exposition/scan/scanner.ts';
import { TextScanner } from '../exposition/scan/text-scanner.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { ScrapeConfig, ScrapeProtocol } from './config.ts';
import { SCRAPE_PROTOCOLS } from './config.ts';

const PROTOBUF = 'application/vnd.google.protobuf';
const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto: `${PROTOBUF};proto=io.prometheus.client.MetricFamily;encoding=delimited`,
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
};
const FORMATS: Readonly<Record<ScrapeProtocol, ScrapeFormat>> = {
  PrometheusProto: 'protobuf',
  'OpenMetricsText0.0.1': 'openmetrics',
  'OpenMetricsText1.0.0': 'openmetrics',
  'PrometheusText0.0.4': 'text',
  'PrometheusText1.0.0': 'text',
};

/** The Accept header: the wanted formats by falling weight, then anything. */
export function acceptHeader(
  protocols: readonly ScrapeProtocol[],
  escaping: EscapingScheme,
): string {
  let weight = SCRAPE_PROTOCOLS.length + 1;
  const clauses = protocols.map(protocol => {
    const escapes = protocol.endsWith('1.0.0') ? `;escaping=${escaping}` : '';
    return `${MEDIA_TYPES[protocol]}${escapes};q=0.${weight--}`;
  });
  return [...clauses, `*/*;q=0.${weight}`].join(',');
}

/** The format of an answer. Throws `bad-data` where it is none, and nothing to fall back on. */
export function formatOf(contentType: string, config: ScrapeConfig): ScrapeFormat {
  const format = known(contentType);
  if (format !== null) return format;
  if (config.fallbackProtocol) return FORMATS[config.fallbackProtocol];
  const what =
    contentType.trim() === ''
      ? 'the answer has no Content-Type'
      : `the answer's Content-Type ${JSON.stringify(contentType)} is no format of metrics`;
  throw new OutpostError('bad-data', `${what}; fallback_scrape_protocol says what to take it for`);
}

function known(contentType: string): ScrapeFormat | null {
  const [type = '', ...parameters] = contentType.split(';').map(part => part.trim().toLowerCase());
  if (type === 'application/openmetrics-text') return 'openmetrics';
  if (type === 'text/plain') return 'text';
  if (type !== PROTOBUF) return null;
  return parameters.includes('proto=io.prometheus.client.metricfamily') ? 'protobuf' : null;
}

/** A scanner of a body for a job. */
export function scannerOf(
  body: Uint8Array,
  format: ScrapeFormat,
  { nativeHistograms, classicHistogramsToo }: ScrapeConfig,
): SampleScanner {
  if (format !== 'protobuf') return new TextScanner(body, format);
  return new ProtobufScanner(body, { native: nativeHistograms, classicToo: classicHistogramsToo });
}
