import { expect, test } from 'vitest';
import { negotiateExposition } from '../../../src/exposition/negotiate.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

test.each([
  [undefined, TEXT],
  ['', TEXT],
  ['*/*', TEXT],
  ['text/html', TEXT],
  ['application/json', TEXT],
  ['text/plain', TEXT],
  ['text/plain;version=0.0.4;q=0.3', TEXT],
  ['text/plain;version=9', TEXT],
  ['application/openmetrics-text', 'application/openmetrics-text; version=0.0.1; charset=utf-8'],
  [
    'application/openmetrics-text;version=1.0.0',
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  ],
  ['application/openmetrics-text;version=2.0.0,text/plain', TEXT],
  ['text/plain;q=0.9, application/openmetrics-text;version=1.0.0;q=0.5', TEXT],
  [
    'text/plain;q=0.5, application/openmetrics-text; version="1.0.0"',
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  ],
  ['application/openmetrics-text;version=1.0.0;q=0,text/plain;q=0.1', TEXT],
  ['text/plain;version=1.0.0', 'text/plain; version=1.0.0; charset=utf-8; escaping=underscores'],
  [
    'text/plain;version=1.0.0;escaping=dots',
    'text/plain; version=1.0.0; charset=utf-8; escaping=dots',
  ],
  [
    'text/plain;version=1.0.0;escaping=bogus',
    'text/plain; version=1.0.0; charset=utf-8; escaping=underscores',
  ],
  [
    'text/plain;version=0.0.4;escaping=values',
    'text/plain; version=0.0.4; charset=utf-8; escaping=values',
  ],
  [
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3',
    TEXT,
  ],
  [
    PROMETHEUS_3,
    'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
  ],
])('Accept: %s', (accept, contentType) => {
  const exposition = negotiateExposition(accept);
  expect(exposition.contentType).toBe(contentType);
  expect(exposition.format).toBe(contentType.includes('openmetrics') ? 'openmetrics' : 'text');
});

test('the dialect escapes names by the negotiated scheme', () => {
  expect(negotiateExposition('text/plain').dialect.scheme).toBe('underscores');
  expect(negotiateExposition('text/plain;version=1.0.0;escaping=dots').dialect.scheme).toBe('dots');
});
