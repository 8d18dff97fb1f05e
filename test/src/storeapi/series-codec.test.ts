import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thanos } from '../../../proto/gen/thanos.js';
import { Labels } from '../../../src/labels/labels.ts';
import type { Chunk } from '../../../src/storage/series.ts';
import { decodeResponse, SeriesEncoder } from '../../../src/storeapi/series-codec.ts';
import { StringCache } from '../../../src/storeapi/string-cache.ts';

const strings = new StringCache();
const { SeriesResponse } = thanos;

const chunk: Chunk = { minTime: 1000, maxTime: 2000, encoding: 1, data: Uint8Array.of(0, 1, 2) };

test('a series frame is these bytes', () => {
  const frame = new SeriesEncoder().series(Labels.fromObject({ a: 'b' }), [chunk]);
  // series{labels{name value} chunks{min_time max_time raw{data}}}
  expect(Buffer.from(frame).toString('hex')).toBe(
    '0a17' + '0a06' + '0a0161' + '120162' + '120d' + '08e807' + '10d00f' + '1a05' + '1203000102',
  );
});

test('a histogram chunk has the type 1, one less than in files', () => {
  const histogram = { ...chunk, encoding: 2 };
  const frame = SeriesResponse.decode(new SeriesEncoder().series(Labels.empty, [histogram]));
  expect(frame.series!.chunks![0]!.raw!.type).toBe(thanos.Chunk.Encoding.HISTOGRAM);
  const [read] = decodeResponse(SeriesResponse.encode(frame).finish(), strings).series;
  expect(read!.chunks[0]!.encoding).toBe(2);
});

test('a warning frame is read', () => {
  const frame = decodeResponse(new SeriesEncoder().warning('half of it is missing'), strings);
  expect(frame).toEqual({ series: [], warnings: ['half of it is missing'] });
});

test('a hints frame is passed over', () => {
  const hints = SeriesResponse.encode({ hints: { type_url: 'x', value: Uint8Array.of(1) } });
  expect(decodeResponse(hints.finish(), strings)).toEqual({ series: [], warnings: [] });
});

test('labels out of order or without value are put right', () => {
  const labels = [
    { name: 'b', value: '1' },
    { name: 'a', value: '2' },
    { name: 'c', value: '' },
  ];
  const bytes = SeriesResponse.encode({ series: { labels } }).finish();
  const [series] = decodeResponse(bytes, strings).series;
  expect(series!.labels.pairs).toEqual(['a', '2', 'b', '1']);
});

test('chunks are views of the frame', () => {
  const bytes = new SeriesEncoder().series(Labels.empty, [chunk]);
  const [series] = decodeResponse(bytes, strings).series;
  expect(series!.chunks[0]!.data.buffer).toBe(bytes.buffer);
});

test('a downsampled chunk that was not asked for is refused', () => {
  const count = { type: 0, data: Uint8Array.of(1) };
  const bytes = SeriesResponse.encode({ series: { chunks: [{ minTime: 1, count }] } }).finish();
  expect(() => decodeResponse(bytes, strings)).toThrow('downsampled chunk');
});

test('a frame that is cut short is corrupt, not read beyond', () => {
  const bytes = new SeriesEncoder().series(Labels.fromObject({ a: 'b' }), [chunk]);
  for (let length = 1; length < bytes.length; length++) {
    expect(() => decodeResponse(bytes.subarray(0, length), strings)).toThrow('decode series frame');
  }
});

const labelsArbitrary = fc
  .dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), {
    maxKeys: 5,
  })
  .map(Labels.fromObject);
const chunkArbitrary = fc.record({
  minTime: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
  maxTime: fc.maxSafeInteger(),
  encoding: fc.constantFrom(1, 2, 3),
  data: fc.uint8Array({ maxLength: 200 }),
});
const seriesArbitrary = fc.record({
  labels: labelsArbitrary,
  chunks: fc.array(chunkArbitrary, { maxLength: 5 }),
});

test('frames are the bytes of the generated codec and are read back equal', () => {
  const encoder = new SeriesEncoder();
  fc.assert(
    fc.property(fc.array(seriesArbitrary, { maxLength: 4 }), list => {
      const messages = list.map(({ labels, chunks }) => ({
        labels: [...labels].map(([name, value]) => ({ name, value })),
        chunks: chunks.map(({ minTime, maxTime, encoding, data }) => ({
          minTime,
          maxTime,
          raw: { type: encoding - 1, data },
        })),
      }));
      const frames = list.map(({ labels, chunks }) => encoder.series(labels, chunks));
      frames.forEach((frame, i) => {
        const generated = SeriesResponse.encode({ series: messages[i]! }).finish();
        expect(Buffer.from(frame).equals(generated)).toBe(true);
      });
      const batch = encoder.batch(frames);
      const generated = SeriesResponse.encode({ batch: { series: messages } }).finish();
      expect(Buffer.from(batch).equals(generated)).toBe(true);
      const read = decodeResponse(batch, strings).series;
      expect(read.map(series => series.labels.pairs)).toEqual(list.map(s => s.labels.pairs));
      expect(read.flatMap(series => series.chunks.map(c => ({ ...c, data: [...c.data] })))).toEqual(
        list.flatMap(series => series.chunks.map(c => ({ ...c, data: [...c.data] }))),
      );
    }),
  );
});

test('a string cache returns what was encoded, whatever shares its slots', () => {
  const cache = new StringCache();
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 150 })), texts => {
      for (const text of [...texts, ...texts]) {
        const bytes = new TextEncoder().encode(text);
        expect(cache.decode(bytes, 0, bytes.length)).toBe(new TextDecoder().decode(bytes));
      }
    }),
  );
});
