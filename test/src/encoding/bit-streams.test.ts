// Bits, integers of variable width and XORed doubles.

import { describe, expect, test } from 'vitest';
import { BitReader } from '../../../src/encoding/bit-reader.ts';
import { BitWriter } from '../../../src/encoding/bit-writer.ts';
import {
  readVarbitInt,
  readVarbitUint,
  writeVarbitInt,
  writeVarbitUint,
} from '../../../src/encoding/varbit.ts';
import { XorLanes } from '../../../src/encoding/xor-lanes.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';

/** What was written, as zeros and ones. */
function bitsOf(write: (writer: BitWriter) => void): string {
  const writer = new BitWriter(1);
  write(writer);
  return [...writer.bytes()].map(byte => byte.toString(2).padStart(8, '0')).join(' ');
}

function readerOf(bits: string): BitReader {
  const bytes = bits.split(' ').map(byte => Number.parseInt(byte.padEnd(8, '0'), 2));
  return new BitReader(Uint8Array.from(bytes));
}

describe('bits', () => {
  test('the highest comes first, in any width', () => {
    const written = bitsOf(writer => {
      writer.bit(1);
      writer.bits(0b0110, 4);
      writer.bits(0xdead_beef, 32);
      writer.bits(-1, 3);
    });
    expect(written).toBe('10110110 11110101 01101101 11110111 01111111');
    const reader = readerOf(written);
    expect([reader.bit(), reader.bits(4), reader.bits(32), reader.bits(3)]).toEqual([
      1, 0b0110, 0xdead_beef, 7,
    ]);
    expect(reader.remaining).toBe(0);
  });

  test('64 bits are two halves', () => {
    const reader = readerOf(
      bitsOf(writer => {
        writer.bit(0);
        writer.word(0x7ff0_0000, 2);
      }),
    );
    reader.bit();
    reader.word();
    expect([reader.high, reader.low]).toEqual([0x7ff0_0000, 2]);
  });

  test('reading beyond the end is corrupt', () => {
    const reader = readerOf('11111111');
    reader.bits(5);
    expect(() => reader.bits(4)).toThrow('read bits: 4 wanted at bit 5, 3 left');
    expect(() => reader.ones(8)).toThrow(OutpostError);
    expect(reader.ones(3)).toBe(3);
  });

  test('a view of a longer buffer ends where it ends', () => {
    const reader = new BitReader(Uint8Array.of(0xff, 0xff, 0xff).subarray(0, 1));
    expect(reader.bits(8)).toBe(0xff);
    expect(() => reader.bit()).toThrow(OutpostError);
  });
});

describe('varbits', () => {
  // The widths and their edges are those of Prometheus' tsdb/chunkenc/varbit.go.
  test.each([
    [0, '0'],
    [1, '10001'],
    [4, '10100'],
    [-3, '10101'],
    [5, '110000101'],
    [-4, '110111100'],
    [32, '110100000'],
    [-31, '110100001'],
    [33, '1110000100001'],
    [256, '1110100000000'],
    [-256, '11110111100000000'],
    [2048, '11110100000000000'],
    [2049, '111110000000100000000001'],
    [131_072, '111110100000000000000000'],
    [-131_072, '11111101111111100000000000000000'],
    [16_777_216, '11111101000000000000000000000000'],
  ])('%d is %s', (value, bits) => {
    const written = bitsOf(writer => writeVarbitInt(writer, value));
    expect(written.replaceAll(' ', '').replace(/0*$/, '')).toBe(bits.replace(/0*$/, ''));
    expect(readVarbitInt(readerOf(written))).toBe(value);
  });

  test.each([
    -16_777_216,
    16_777_217,
    2 ** 32,
    -(2 ** 32) - 1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ])('%d takes eight bytes', value => {
    const writer = new BitWriter();
    writeVarbitInt(writer, value);
    expect(writer.length).toBe(8);
    expect(readVarbitInt(new BitReader(writer.bytes()))).toBe(value);
  });

  test('nine bytes hold 64 bits, with or without a sign', () => {
    const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe);
    expect(readVarbitInt(new BitReader(bytes))).toBe(-2);
    expect(readVarbitUint(new BitReader(bytes))).toBe(2 ** 64);
  });

  test.each([
    [0, '0'],
    [7, '10111'],
    [8, '110001000'],
    [63, '110111111'],
    [511, '1110111111111'],
    [4095, '11110111111111111'],
    [262_143, '111110111111111111111111'],
    [33_554_431, '11111101111111111111111111111111'],
  ])('unsigned %d is %s', (value, bits) => {
    const written = bitsOf(writer => writeVarbitUint(writer, value));
    expect(written.replaceAll(' ', '').replace(/0*$/, '')).toBe(bits.replace(/0*$/, ''));
    expect(readVarbitUint(readerOf(written))).toBe(value);
  });

  test('unsigned, the safe integers are exact', () => {
    const writer = new BitWriter();
    writeVarbitUint(writer, Number.MAX_SAFE_INTEGER);
    expect(readVarbitUint(new BitReader(writer.bytes()))).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('XOR lanes', () => {
  test('each lane follows its own predecessor, bit by bit', () => {
    const rows = [
      [1, -0, 0.1],
      [1, 0, 0.2],
      [1.5, Number.NaN, 1e300],
      [2, Number.POSITIVE_INFINITY, 5e-324],
    ].map(row => Float64Array.from(row));
    new Uint32Array(rows[2]!.buffer).set([2, 0x7ff0_0000], 2);
    const writer = new BitWriter();
    const out = new XorLanes(3);
    for (const [i, row] of rows.entries()) {
      for (let lane = 0; lane < 3; lane++) {
        if (i === 0) out.writeFirst(writer, lane, row, lane);
        else out.write(writer, lane, row, lane);
      }
    }
    const reader = new BitReader(writer.bytes());
    const lanes = new XorLanes(3);
    for (const [i, row] of rows.entries()) {
      for (let lane = 0; lane < 3; lane++) {
        if (i === 0) lanes.readFirst(reader, lane);
        else lanes.read(reader, lane);
      }
      expect(Buffer.from(lanes.values.buffer).equals(Buffer.from(row.buffer))).toBe(true);
    }
  });

  test.each([
    ['a window is used before there is one', '10000000'],
    ['a window is wider than a double', '11111111 11111000 00000000 00000000 00000000 00000000'],
  ])('it is corrupt where %s', (_, bits) => {
    expect(() => new XorLanes(1).read(readerOf(bits), 0)).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    );
  });
});
