import { expect, test } from 'vitest';
import { histogramJson } from '../../../src/httpapi/histogram-json.ts';
import { resultPieces } from '../../../src/httpapi/json-pieces.ts';
import { Labels } from '../../../src/labels/labels.ts';
import type { FloatHistogram } from '../../../src/storage/histogram.ts';

const EMPTY = new Float64Array(0);
const BASE: FloatHistogram = {
  counterResetHint: 'unknown',
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 8,
  sum: 18.4,
  positiveSpans: [
    { offset: 0, length: 2 },
    { offset: 1, length: 1 },
  ],
  positiveBuckets: Float64Array.of(1, 0, 2),
  negativeSpans: [{ offset: 0, length: 2 }],
  negativeBuckets: Float64Array.of(1, 2),
  customValues: EMPTY,
};

test('buckets stand from the lowest up with their ends, empty ones left out', () => {
  expect(histogramJson(BASE)).toBe(
    '{"count":"8","sum":"18.4","buckets":[[1,"-2","-1","2"],[1,"-1","-0.5","1"],[3,"-0.001","0.001","2"],[0,"0.5","1","1"],[0,"4","8","2"]]}',
  );
});

test('custom buckets have listed bounds, the first reaching down without end', () => {
  const custom: FloatHistogram = {
    ...BASE,
    schema: -53,
    zeroCount: 0,
    negativeSpans: [],
    negativeBuckets: EMPTY,
    positiveSpans: [{ offset: 0, length: 3 }],
    positiveBuckets: Float64Array.of(1, 2, 3),
    customValues: Float64Array.of(5, 10),
  };
  expect(histogramJson(custom)).toBe(
    '{"count":"8","sum":"18.4","buckets":[[3,"-Inf","5","1"],[0,"5","10","2"],[0,"10","+Inf","3"]]}',
  );
});

test('without populated buckets there is no list of them', () => {
  const bare = {
    ...BASE,
    zeroCount: 0,
    positiveBuckets: EMPTY,
    negativeBuckets: EMPTY,
    positiveSpans: [],
    negativeSpans: [],
  };
  expect(histogramJson(bare)).toBe('{"count":"8","sum":"18.4"}');
});

test('a matrix shows floats and histograms under their own keys', () => {
  const bare = {
    ...BASE,
    zeroCount: 0,
    positiveBuckets: EMPTY,
    negativeBuckets: EMPTY,
    positiveSpans: [],
    negativeSpans: [],
  };
  const result = {
    value: {
      type: 'matrix' as const,
      series: [
        {
          labels: Labels.empty,
          times: Float64Array.of(1000, 2500),
          values: Float64Array.of(1, 0),
          histograms: [undefined, bare],
        },
      ],
    },
    warnings: [],
    infos: [],
    stats: {
      queueMs: 0,
      prepareMs: 0,
      evalMs: 0,
      samplesRead: 0,
      samplesPerStep: null,
      peakSamples: 0,
      seriesRead: 0,
      peakBytes: 0,
    },
    times: null,
    release() {},
  };
  expect([...resultPieces(result, { limit: 0, withStats: false })].join('')).toBe(
    '{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]],"histograms":[[2.500,{"count":"8","sum":"18.4"}]]}]}',
  );
});
