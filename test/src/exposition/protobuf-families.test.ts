// What is written as protobuf is read back the same; the text of the same families has the same samples.

import { expect, test } from 'vitest';
import { writeFamilies } from '../../../src/exposition/dialect.ts';
import { negotiateAnyExposition, negotiateExposition } from '../../../src/exposition/negotiate.ts';
import { type ExposedFamily, protobufFamilies } from '../../../src/exposition/protobuf-families.ts';
import { ProtobufScanner } from '../../../src/exposition/scan/protobuf-scanner.ts';
import { TextScanner } from '../../../src/exposition/scan/text-scanner.ts';
import { textDialect } from '../../../src/exposition/text.ts';
import { Labels } from '../../../src/labels/labels.ts';
import type { FloatHistogram } from '../../../src/storage/histogram.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { entriesOf } from '../../fakes/exposition-bodies.ts';

const choice = { native: true, classicToo: false };
const EMPTY = new Float64Array(0);
const histogram: FloatHistogram = {
  counterResetHint: 'unknown',
  schema: 3,
  zeroThreshold: 1e-10,
  zeroCount: 2,
  count: 12,
  sum: -3.5,
  positiveSpans: [
    { offset: -2, length: 2 },
    { offset: 3, length: 1 },
  ],
  positiveBuckets: Float64Array.of(5, 1, 3),
  negativeSpans: [{ offset: 0, length: 1 }],
  negativeBuckets: Float64Array.of(1),
  customValues: EMPTY,
  integer: true,
};

function family(changes: Partial<ExposedFamily>): ExposedFamily {
  return { name: 'f', help: '', type: 'gauge', samples: [], ...changes };
}

function readBack(exposed: FloatHistogram): FloatHistogram {
  const samples = [{ suffix: '', labels: Labels.empty, value: 0, histogram: exposed }];
  const body = protobufFamilies([family({ type: 'histogram', samples })], 'allow-utf-8');
  const scanner = new ProtobufScanner(body, choice);
  expect([scanner.next(), scanner.next()]).toEqual(['type', 'histogram']);
  return scanner.histogram();
}

test.each<[string, FloatHistogram]>([
  ['with whole counts', histogram],
  ['with any counts', { ...histogram, integer: undefined, zeroCount: 0.5, count: 10.5 } as never],
  [
    'without observations',
    {
      ...histogram,
      ...{ zeroThreshold: 0, zeroCount: 0, count: 0, sum: 0 },
      ...{ positiveSpans: [], positiveBuckets: EMPTY, negativeSpans: [], negativeBuckets: EMPTY },
    },
  ],
])('a native histogram %s is read back', (_name, exposed) => {
  const { integer, ...rest } = exposed;
  expect(readBack(exposed)).toEqual(integer ? { ...rest, integer } : rest);
});

test('a histogram with custom buckets is a classic one', () => {
  const custom: FloatHistogram = {
    ...histogram,
    ...{ schema: -53, zeroThreshold: 0, zeroCount: 0, count: 6, sum: 9 },
    ...{ negativeSpans: [], negativeBuckets: EMPTY, customValues: Float64Array.of(1, 2, 4) },
    positiveSpans: [
      { offset: 0, length: 1 },
      { offset: 1, length: 2 },
    ],
    positiveBuckets: Float64Array.of(1, 2, 3),
  };
  const samples = [{ suffix: '', labels: Labels.empty, value: 0, histogram: custom }];
  const body = protobufFamilies([family({ type: 'histogram', samples })], 'allow-utf-8');
  expect(entriesOf(new ProtobufScanner(body, choice))).toEqual([
    'type f histogram',
    'f_bucket{le="1.0"} 1',
    'f_bucket{le="2.0"} 1',
    'f_bucket{le="4.0"} 3',
    'f_bucket{le="+Inf"} 6',
    'f_count 6',
    'f_sum 9',
  ]);
});

test('the metrics of a process are the same in protobuf and in text', () => {
  const registry = new Registry();
  registry
    .counterVector({ name: 'c_total', help: 'C.', labelNames: ['x'] })
    .with('ü"')
    .inc(3);
  registry.gauge({ name: 'g', help: 'G.' }).set(-0.5);
  const vector = registry.histogramVector({ name: 'h', help: 'H.', labelNames: ['y'] }, [1, 2]);
  for (const [label, value] of [
    ['a', 1.5],
    ['b', 9],
    ['a', 0.5],
  ] as const) {
    vector.with(label).observe(value);
  }
  const families = registry.gather();
  const text = writeFamilies(families, textDialect('allow-utf-8'));
  const fromText = entriesOf(new TextScanner(new TextEncoder().encode(text), 'text'));
  const bytes = protobufFamilies(families, 'allow-utf-8');
  const fromBytes = entriesOf(new ProtobufScanner(bytes, choice));
  expect(fromBytes.sort()).toEqual(fromText.sort());
  expect(fromBytes).toHaveLength(18);
});

test('names are escaped as the reader asked', () => {
  const labels = Labels.fromObject({ 'a.b': '1' });
  const samples = [{ suffix: '', labels, value: 1, time: 1500 }];
  const body = protobufFamilies([family({ name: 'm.n', samples })], 'underscores');
  expect(entriesOf(new ProtobufScanner(body, choice))).toEqual([
    'type m_n gauge',
    'm_n{a_b="1"} 1 @1500',
  ]);
});

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily';

test.each([
  [
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;q=0.5',
    `${PROTOBUF}; encoding=delimited`,
  ],
  [
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=dots',
    `${PROTOBUF}; encoding=delimited; escaping=dots`,
  ],
  [
    'application/vnd.google.protobuf;proto=other;encoding=delimited',
    'text/plain; version=0.0.4; charset=utf-8',
  ],
  [
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text',
    'text/plain; version=0.0.4; charset=utf-8',
  ],
])('%s is answered as %s', (accept, contentType) => {
  expect(negotiateAnyExposition(accept).contentType).toBe(contentType);
  expect(negotiateExposition(accept).contentType).toMatch(/^text\/plain/);
});
