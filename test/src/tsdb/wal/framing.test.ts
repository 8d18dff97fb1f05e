import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../../src/encoding/crc32c.ts';
import { FrameBuffer, PAGE_BYTES, packRecord } from '../../../../src/tsdb/wal/framing.ts';
import { RecordScanner } from '../../../../src/tsdb/wal/record-scanner.ts';

function frame(records: readonly Uint8Array[], position = 0, compress = false): Uint8Array {
  const frames = new FrameBuffer();
  frames.reset(position);
  for (const record of records) frames.add(packRecord(record, compress));
  return frames.bytes().slice();
}

function scan(bytes: Uint8Array) {
  const records: Uint8Array[] = [];
  const scanner = new RecordScanner(record => records.push(record.slice()));
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    scanner.page(bytes.subarray(at, at + PAGE_BYTES), at);
  }
  scanner.end(bytes.length);
  return { records, scanner };
}

function pattern(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

describe('framing', () => {
  test('a short record is one full fragment: type, length, checksum, data', () => {
    // CRC-32C of "123456789" is the check value of the polynomial, e3069283.
    const record = new TextEncoder().encode('123456789');
    expect(Buffer.from(frame([record])).toString('hex')).toBe(
      '01' + '0009' + 'e3069283' + '313233343536373839',
    );
  });

  test('an empty record is a header alone', () => {
    expect([...frame([new Uint8Array(0)])]).toEqual([1, 0, 0, 0, 0, 0, 0]);
  });

  test('a record longer than a page is split into first, middle and last', () => {
    const record = pattern(2 * PAGE_BYTES);
    const bytes = frame([record]);
    expect(bytes.length).toBe(2 * PAGE_BYTES + 3 * 7);
    expect([bytes[0], bytes[PAGE_BYTES], bytes[2 * PAGE_BYTES]]).toEqual([2, 3, 4]);
    const piece = bytes.subarray(7, PAGE_BYTES);
    expect(new DataView(bytes.buffer).getUint32(3)).toBe(crc32c(piece));
  });

  test('a page with less than a header left is padded with zeros', () => {
    const bytes = frame([Uint8Array.of(9)], PAGE_BYTES - 6);
    expect([...bytes.subarray(0, 9)]).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 1]);
  });

  test('a page with exactly a header left starts an empty first fragment', () => {
    const bytes = frame([Uint8Array.of(9)], PAGE_BYTES - 7);
    expect([bytes[0], bytes[1], bytes[2], bytes[7], bytes[9]]).toEqual([2, 0, 0, 4, 1]);
  });

  test('snappy is used from a kibibyte on where it makes the record smaller', () => {
    expect(packRecord(new Uint8Array(1023), true).flag).toBe(0);
    expect(packRecord(new Uint8Array(1024), true).flag).toBe(8);
    expect(packRecord(pattern(4096), true).flag).toBe(0);
    expect(packRecord(new Uint8Array(1024), false).flag).toBe(0);
  });

  test.each([
    ['plain', false],
    ['compressed', true],
  ])('records of all sizes come back, %s', (_, compress) => {
    const sizes = [0, 1, 6, 7, 1024, PAGE_BYTES - 14, PAGE_BYTES - 7, PAGE_BYTES, 3 * PAGE_BYTES];
    const records = sizes.flatMap((size, i) => [pattern(size, i + 1), new Uint8Array(size)]);
    const { records: read, scanner } = scan(frame(records, 0, compress));
    expect(read).toEqual(records);
    expect(scanner.damages).toEqual([]);
  });
});

describe('damage', () => {
  const records = [pattern(20, 1), pattern(20, 2), pattern(20, 3)];
  const bytes = frame(records);

  test('a flipped data bit loses its record alone', () => {
    const damaged = bytes.slice();
    damaged[27 + 10]! ^= 4;
    const { records: read, scanner } = scan(damaged);
    expect(read).toEqual([records[0], records[2]]);
    expect(scanner.damages).toEqual([{ kind: 'corrupt', offset: 27, reason: 'checksum mismatch' }]);
    expect(scanner.goodEnd).toBe(27);
  });

  test.each([
    ['longer', 0x40],
    ['shorter', 0x10],
  ])('a length flipped to be %s loses its record alone', (_, bit) => {
    const damaged = bytes.slice();
    damaged[27 + 2]! ^= bit;
    const { records: read, scanner } = scan(damaged);
    expect(read).toEqual([records[0], records[2]]);
    expect(scanner.damages).toMatchObject([{ kind: 'corrupt', offset: 27 }]);
  });

  test('a page of noise loses nothing of the next page', () => {
    const next = pattern(5, 5);
    const damaged = frame([pattern(PAGE_BYTES - 7, 4), next]);
    damaged.set(pattern(PAGE_BYTES, 9));
    const { records: read, scanner } = scan(damaged);
    expect(read).toEqual([next]);
    expect(scanner.damages.length).toBe(1);
  });

  test('a file that ends inside a record is torn there', () => {
    const { records: read, scanner } = scan(bytes.subarray(0, 60));
    expect(read).toEqual(records.slice(0, 2));
    expect(scanner.damages).toEqual([
      { kind: 'torn', offset: 54, reason: 'the file ends inside a fragment' },
    ]);
    expect(scanner.goodEnd).toBe(54);
  });

  test('a file that ends between the fragments of a record is torn at its start', () => {
    const { scanner } = scan(frame([pattern(20), pattern(PAGE_BYTES)]).subarray(0, PAGE_BYTES));
    expect(scanner.damages).toMatchObject([{ kind: 'torn', offset: 27 }]);
    expect(scanner.goodEnd).toBe(27);
  });

  test('bytes behind a page end that are not zero are damage', () => {
    const damaged = new Uint8Array(100);
    damaged.set(bytes);
    damaged[99] = 1;
    const { records: read, scanner } = scan(damaged);
    expect(read).toEqual(records);
    expect(scanner.damages).toEqual([
      { kind: 'corrupt', offset: 81, reason: 'padding is not zero' },
    ]);
  });

  test('a compressed record that does not decompress is damage', () => {
    const frames = new FrameBuffer();
    frames.reset(0);
    frames.add({ data: Uint8Array.of(0xff, 0xff), flag: 8 });
    frames.add({ data: Uint8Array.of(7), flag: 0 });
    const { records: read, scanner } = scan(frames.bytes().slice());
    expect(read).toEqual([Uint8Array.of(7)]);
    expect(scanner.damages[0]?.reason).toBe('a compressed record is damaged');
  });

  test('zstd records of other writers are read', () => {
    const frames = new FrameBuffer();
    frames.reset(0);
    // zstd frame of "hello hello hello hello", made by the zstd command.
    const data = Buffer.from('KLUv/QBYZQAAMGhlbGxvIAEAmUsR', 'base64');
    frames.add({ data, flag: 16 });
    const { records: read, scanner } = scan(frames.bytes().slice());
    expect(scanner.damages).toEqual([]);
    expect(new TextDecoder().decode(read[0])).toBe('hello hello hello hello');
  });
});
