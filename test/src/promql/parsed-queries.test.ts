import { expect, test } from 'vitest';
import { ParsedQueries } from '../../../src/promql/parsed-queries.ts';

test('a text that was read is not read again', () => {
  const queries = new ParsedQueries();
  const first = queries.parse('sum(up)');
  expect(queries.parse('sum(up)')).toBe(first);
  expect(queries.parse('sum(up) ')).not.toBe(first);
});

test('what is wrong stays wrong', () => {
  const queries = new ParsedQueries();
  for (let i = 0; i < 2; i++)
    expect(() => queries.parse('sum(')).toThrow('unclosed left parenthesis');
  expect(queries.size).toBe(0);
});

test('the texts asked longest ago are forgotten, long ones are never kept', () => {
  const queries = new ParsedQueries();
  const kept = queries.parse('a');
  for (let i = 0; i < 2000; i++) {
    queries.parse(`b + ${i}`);
    if (i % 100 === 0) expect(queries.parse('a')).toBe(kept);
  }
  expect(queries.size).toBe(500);
  queries.parse(`vector(1)${' '.repeat(5000)}`);
  expect(queries.size).toBe(500);
});
