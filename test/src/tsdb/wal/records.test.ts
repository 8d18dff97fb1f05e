import { describe, expect, test } from 'vitest';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type LoggedMetadata,
} from '../../../../src/tsdb/wal/metadata-record.ts';
import { recordTypeName } from '../../../../src/tsdb/wal/record-type.ts';
import {
  decodeSamplesRecord,
  LoggedSamples,
  SamplesRecordWriter,
} from '../../../../src/tsdb/wal/samples-record.ts';
import { decodeSeriesRecord, SeriesRecordWriter } from '../../../../src/tsdb/wal/series-record.ts';
import {
  decodeTombstonesRecord,
  encodeTombstonesRecord,
  type LoggedTombstone,
} from '../../../../src/tsdb/wal/tombstones-record.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('series record', () => {
  test('holds refs and labels', () => {
    const writer = new SeriesRecordWriter();
    expect(writer.empty).toBe(true);
    writer.add(1, ['__name__', 'up', 'a', 'é']);
    writer.add(2 ** 40, []);
    expect(hex(writer.bytes())).toBe(
      '01' +
        '0000000000000001' +
        '02' +
        '085f5f6e616d655f5f' +
        '027570' +
        '0161' +
        '02c3a9' +
        '0000010000000000' +
        '00',
    );
    const seen: [number, string[]][] = [];
    decodeSeriesRecord(writer.bytes(), (ref, pairs) => seen.push([ref, pairs]));
    expect(seen).toEqual([
      [1, ['__name__', 'up', 'a', 'é']],
      [2 ** 40, []],
    ]);
  });

  test.each([
    ['cut short', '0100000000'],
    ['a label is cut short', '010000000000000001' + '01' + '0561'],
    ['more labels than there can be', '010000000000000001' + 'ffffffff7f'],
  ])('is refused: %s', (_, record) => {
    expect(() => decodeSeriesRecord(bytes(record), () => {})).toThrow(/^series record: /);
  });
});

describe('samples record', () => {
  const stale = new Float64Array(new BigUint64Array([0x7ff0000000000002n]).buffer);

  test('holds deltas against the first sample as signed varints', () => {
    const columns = new LoggedSamples();
    decodeSamplesRecord(
      bytes(
        '02' +
          '0000000000000005' +
          '0000018bcfe56800' +
          ('00' + '00' + '3ff0000000000000') +
          ('03' + 'd00f' + '7ff0000000000002') +
          ('02' + '01' + '4000000000000000'),
      ),
      columns,
    );
    expect(columns.length).toBe(3);
    expect([...columns.refs.subarray(0, 3)]).toEqual([5, 3, 6]);
    expect([...columns.times.subarray(0, 3)]).toEqual([
      1_700_000_000_000, 1_700_000_001_000, 1_699_999_999_999,
    ]);
    expect(columns.values[0]).toBe(1);
    expect(new BigUint64Array(columns.values.buffer)[1]).toBe(0x7ff0000000000002n);
    expect(columns.values[2]).toBe(2);
  });

  test('encodes the samples that are kept, bits included', () => {
    const columns = new LoggedSamples();
    columns.refs.set([1, 2, 3]);
    columns.times.set([-5, 10, 20]);
    columns.values.set(stale, 2);
    columns.length = 3;
    const writer = new SamplesRecordWriter();
    const record = writer.encode(columns, i => i !== 1);
    expect(hex(record!)).toBe(
      '02' +
        '0000000000000001' +
        'fffffffffffffffb' +
        ('00' + '00' + '0000000000000000') +
        ('04' + '32' + '7ff0000000000002'),
    );
    expect(writer.encode(columns, () => false)).toBe(null);
  });

  test('may be empty', () => {
    const columns = new LoggedSamples();
    decodeSamplesRecord(bytes('02'), columns);
    expect(columns.length).toBe(0);
  });

  test('is refused when cut short', () => {
    const columns = new LoggedSamples();
    const record = bytes('02' + '0000000000000005' + '0000018bcfe56800' + '0000' + '3ff0');
    expect(() => decodeSamplesRecord(record, columns)).toThrow(/^samples record: /);
    expect(columns.length).toBe(0);
  });
});

describe('metadata record', () => {
  test('holds type, unit and help', () => {
    const entry = { ref: 300, metadata: { type: 'counter', unit: 's', help: 'Hi.' } };
    const record = encodeMetadataRecord([entry]);
    expect(hex(record)).toBe(
      '06' + 'ac02' + '01' + '02' + '04554e4954' + '0173' + '0448454c50' + '0348692e',
    );
    const seen: LoggedMetadata[] = [];
    decodeMetadataRecord(record, one => seen.push(one));
    expect(seen).toEqual([entry]);
  });

  test('types and fields of the future are passed over', () => {
    const seen: LoggedMetadata[] = [];
    decodeMetadataRecord(bytes('06' + '01' + '63' + '01' + '0158' + '0159'), e => seen.push(e));
    expect(seen).toEqual([{ ref: 1, metadata: { type: 'unknown', unit: '', help: '' } }]);
  });
});

describe('tombstones record', () => {
  test('holds inclusive ranges', () => {
    const entry = { ref: 7, minTime: -1, maxTime: 64 };
    const record = encodeTombstonesRecord([entry]);
    expect(hex(record)).toBe('03' + '0000000000000007' + '01' + '8001');
    const seen: LoggedTombstone[] = [];
    decodeTombstonesRecord(record, one => seen.push(one));
    expect(seen).toEqual([entry]);
  });

  test('the extremes of int64 become the extremes of safe integers', () => {
    const record = bytes(
      '03' + '0000000000000001' + 'ffffffffffffffffff01' + 'feffffffffffffffff01',
    );
    const seen: LoggedTombstone[] = [];
    decodeTombstonesRecord(record, one => seen.push(one));
    const extreme = Number.MAX_SAFE_INTEGER;
    expect(seen).toEqual([{ ref: 1, minTime: -extreme, maxTime: extreme }]);
  });

  test('is refused when cut short', () => {
    expect(() => decodeTombstonesRecord(bytes('0300'), () => {})).toThrow(/cut short/);
  });
});

test('types that are skipped have names', () => {
  expect([4, 7, 99].map(recordTypeName)).toEqual(['exemplars', 'histograms', 'type-99']);
});
