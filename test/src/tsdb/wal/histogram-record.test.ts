// Records of native histograms, against those that Prometheus writes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeHistogramRecord,
  HistogramRecordWriter,
  histogramRecordType,
  LoggedHistograms,
} from '../../../../src/tsdb/wal/histogram-record.ts';
import {
  RECORD_CUSTOM_FLOAT_HISTOGRAMS,
  RECORD_CUSTOM_HISTOGRAMS,
  RECORD_FLOAT_HISTOGRAMS,
  RECORD_HISTOGRAMS,
} from '../../../../src/tsdb/wal/record-type.ts';
import {
  contentOf,
  histogram,
  histogramOf,
  writtenCases,
} from '../../../fakes/prometheus-cases.ts';

const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes!).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const cases = writtenCases('walInt', 'walFloat');

/** A commit's samples by record, as Prometheus parts them: custom buckets go into one of their own. */
function commit({ kind, samples }: (typeof cases)[number]) {
  const integer = kind === 'walInt';
  const parts = { plain: new LoggedHistograms(), custom: new LoggedHistograms() };
  for (const sample of samples) {
    const one = histogramOf(sample, integer);
    parts[one?.schema === -53 ? 'custom' : 'plain'].push(sample.ref!, sample.t, one);
  }
  return {
    plain: { type: integer ? RECORD_HISTOGRAMS : RECORD_FLOAT_HISTOGRAMS, logged: parts.plain },
    custom: {
      type: integer ? RECORD_CUSTOM_HISTOGRAMS : RECORD_CUSTOM_FLOAT_HISTOGRAMS,
      logged: parts.custom,
    },
  } as const;
}

describe('records that Prometheus writes', () => {
  test.each(cases)('$name: the same bytes', one => {
    const writer = new HistogramRecordWriter();
    const { plain, custom } = commit(one);
    const records = [plain, custom].map(({ type, logged }) =>
      hex(writer.encode(type, logged, () => true)),
    );
    expect(records).toEqual(one.bytes);
  });

  test.each(cases)('$name: are read', one => {
    const { plain, custom } = commit(one);
    const out = new LoggedHistograms();
    for (const [i, { type, logged }] of [plain, custom].entries()) {
      decodeHistogramRecord(bytes(one.bytes[i]!), out);
      expect(out.length).toBe(logged.length);
      expect([...out.refs.subarray(0, out.length)]).toEqual([
        ...logged.refs.subarray(0, logged.length),
      ]);
      expect([...out.times.subarray(0, out.length)]).toEqual([
        ...logged.times.subarray(0, logged.length),
      ]);
      expect(out.histograms).toEqual(logged.histograms);
      for (const one of out.histograms) if (one) expect(histogramRecordType(one)).toBe(type);
    }
  });
});

test('an integer record, field by field', () => {
  const logged = new LoggedHistograms();
  logged.push(5, 1_700_000_000_000, null);
  logged.push(
    5,
    1_700_000_015_000,
    histogram({
      counterResetHint: 'gauge',
      schema: -1,
      zeroThreshold: 0.5,
      zeroCount: 200,
      count: 3,
      sum: 1,
      positiveSpans: [{ offset: -2, length: 2 }],
      positiveBuckets: Float64Array.of(4, 1),
      integer: true,
    }),
  );
  logged.push(3, 1_699_999_999_999, null);
  const record = new HistogramRecordWriter().encode(RECORD_HISTOGRAMS, logged, i => i !== 0);
  expect(hex(record)).toBe(
    '07' +
      '0000000000000005' +
      '0000018bcfe5a298' +
      ('00' + '00' + '03' + '01' + '3fe0000000000000' + 'c801' + '03' + '3ff0000000000000') +
      ('01' + '0302' + '00' + '02' + '0805' + '00') +
      ('03' + 'b1ea01' + '00' + '00' + '0000000000000000' + '00' + '00' + '7ff0000000000002') +
      '00000000',
  );
  expect(new HistogramRecordWriter().encode(RECORD_HISTOGRAMS, logged, () => false)).toBe(null);
});

describe('decoding', () => {
  const base = '0000000000000001' + '0000000000000000';
  const head = '00' + '00' + '00';

  test('replaces what was there; a record may be empty', () => {
    const out = new LoggedHistograms();
    out.push(1, 1, null);
    decodeHistogramRecord(bytes('07'), out);
    expect(out.length).toBe(0);
  });

  test('grows with the record', () => {
    const logged = new LoggedHistograms();
    for (let i = 0; i < 1000; i++) logged.push(i, i, histogram({ count: i, integer: true }));
    const record = new HistogramRecordWriter().encode(RECORD_HISTOGRAMS, logged, () => true);
    const out = new LoggedHistograms();
    decodeHistogramRecord(record!, out);
    expect([out.length, out.refs[999], out.histograms[999]!.count]).toEqual([1000, 999, 999]);
  });

  test('schemas finer than 8 become 8, and unknown ones are passed over and counted', () => {
    const one = (schema: number) =>
      histogram({
        schema,
        positiveSpans: [{ offset: 1, length: 2 }],
        positiveBuckets: Float64Array.of(1, 2),
      });
    const logged = new LoggedHistograms();
    [9, 53, -10, -9].forEach((schema, i) => void logged.push(i, i, one(schema)));
    const record = new HistogramRecordWriter().encode(RECORD_FLOAT_HISTOGRAMS, logged, () => true);
    const out = new LoggedHistograms();
    decodeHistogramRecord(record!, out);
    expect(out.histograms.map(contentOf)).toMatchObject([
      { schema: 8, positive: { 1: 3 } },
      { schema: -9, positive: { 1: 1, 2: 2 } },
    ]);
    expect([out.unknownSchemas, out.refs[1]]).toEqual([2, 3]);
  });

  test.each([
    ['cut short', `${head}00`, 'bytes wanted'],
    ['spans without buckets', `${head}${'00'.repeat(33)}010002${'00'.repeat(3)}`, 'in spans of'],
    ['more items than bytes', `${head}${'00'.repeat(33)}ffff03`, 'items in'],
  ])('is corrupt when %s', (_, body, message) => {
    const out = new LoggedHistograms();
    for (const type of ['07', '09']) {
      expect(() => decodeHistogramRecord(bytes(type + base + body), out)).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      );
    }
    expect(() => decodeHistogramRecord(bytes(`08${base}${body}`), out)).toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(message) }),
    );
    expect(out.length).toBe(0);
  });

  test('any damage is corrupt or another record', () => {
    const records = cases.flatMap(one => one.bytes.map(bytes));
    const damage = fc.record({
      record: fc.nat(records.length - 1),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    });
    const out = new LoggedHistograms();
    fc.assert(
      fc.property(damage, ({ record, cut, flips }) => {
        const whole = records[record]!;
        const data = whole.slice(0, Math.max(1, Math.ceil(whole.length * cut)));
        for (const [at, mask] of flips) data[1 + (at % (data.length - 1 || 1))]! ^= mask;
        try {
          decodeHistogramRecord(data, out);
        } catch (error) {
          expect(error).toMatchObject({ code: 'corrupt' });
          expect(out.length).toBe(0);
        }
        let buckets = 0;
        for (const one of out.histograms) buckets += one?.positiveBuckets.length ?? 0;
        expect(buckets).toBeLessThanOrEqual(data.length);
      }),
      { numRuns: 1000 },
    );
  });
});
