import { expect, test } from 'vitest';
import { WriteBuffer } from '../../../../src/encoding/write-buffer.ts';
import { ColdChunkEncoder } from '../../../../src/tsdb/cold/cold-chunk.ts';
import { ValueColumnWriter } from '../../../../src/tsdb/cold/value-column.ts';

function column(...numbers: readonly number[]): string {
  const out = new WriteBuffer();
  const values = Float64Array.from(numbers);
  new ValueColumnWriter(4096).write(out, values, 0, values.length);
  return Buffer.from(out.bytes()).toString('hex');
}

test('values that never change take nine bytes', () => {
  expect(column(1.5, 1.5, 1.5)).toBe('003ff8000000000000');
  expect(column(-0, -0)).toBe('008000000000000000');
});

test('a counter is its first value and its steps', () => {
  // decimal, 0 places, previous: 1000, then +100, 0, 0, +100, +100, 0; no exceptions
  const hex = column(1000, 1100, 1100, 1100, 1200, 1300, 1300);
  expect(hex).toBe(`010001${'d00f'}${'c801'}0000${'c801'}${'c801'}00${'00'}`);
});

test('a gauge is its least value and distances to it', () => {
  // decimal, 2 places, least: 0.25 = 25/100, then 0, 75, 0, 75
  expect(column(0.25, 1, 0.25, 1)).toBe(`010200${'32'}004b004b${'00'}`);
});

test('what rises evenly is a slope', () => {
  const even = Array.from({ length: 6 }, (_, i) => 5000 + i * 900);
  expect(column(...even)).toBe(`010002${'904e'}${'880e'}00000000${'00'}`);
});

test('a rounding error of sums is kept in units of the last place', () => {
  // 0.1+0.2 is one unit above 0.3, and 0.8 less one unit is what sums to it.
  const hex = column(0.1, 0.2, 0.1 + 0.2, 0.4, 0.7, 0.7999999999999999);
  // rough, 1 place; slope: 1, +1, 0, 0, +2, −2; least: −1, then 1, 1, 2, 1, 1, 0; no exceptions
  expect(hex).toBe(`0201${'02020200000403'}${'0001010102010100'}00`);
});

test('a staleness marker is an exception among decimals', () => {
  const values = new Float64Array(10).map((_, i) => i % 3);
  new BigUint64Array(values.buffer)[9] = 0x7ff0000000000002n;
  const out = new WriteBuffer();
  new ValueColumnWriter(10).write(out, values, 0, 10);
  const hex = Buffer.from(out.bytes()).toString('hex');
  expect(hex).toBe(`010000${'00'}${'00010200010200010202'}${'0109'}${'7ff0000000000002'}`);
});

test('even times have a step, others none', () => {
  const encoder = new ColdChunkEncoder();
  expect(encoder.stepOf(Float64Array.of(0, 10, 20, 30), 0, 4)).toBe(10);
  expect(encoder.stepOf(Float64Array.of(0, 10, 20, 31), 0, 4)).toBe(-1);
  expect(encoder.stepOf(Float64Array.of(5), 0, 1)).toBe(0);
});

test('late scrapes are distances to the even times', () => {
  const times = Float64Array.of(1000, 2001, 3000, 4002, 5000);
  const bytes = new ColdChunkEncoder().times(times, 0, 5);
  // count, first, step, least: 0, then 0, 1, 0, 2, 0
  expect(Buffer.from(bytes).toString('hex')).toBe(`05${'d00f'}${'e807'}0000${'0001000200'}`);
});
