import { describe, expect, it } from 'vitest';
import { parseQuery } from '../../../src/promql/parser.ts';
import { prettyExpr } from '../../../src/promql/pretty-printer.ts';

const pretty = (text: string): string => prettyExpr(parseQuery(text));
const long = (length: number): string => 'x'.repeat(length);

describe('the text of a query', () => {
  it('stays on a line of 100 bytes', () => {
    expect(pretty(`sum  (${long(95)})`)).toBe(`sum(${long(95)})`);
    expect(pretty(`sum(${long(96)})`)).toBe(`sum(\n  ${long(96)}\n)`);
    expect(pretty(`sum(x{a="${'ü'.repeat(46)}"})`)).toMatch(/^sum\(\n/);
  });

  it('puts the arguments of calls and aggregations on lines of their own', () => {
    expect(pretty(`topk by (a) (3, rate(${long(95)}[5m]))`)).toBe(
      `topk by (a) (\n  3,\n  rate(\n    ${long(95)}[5m]\n  )\n)`,
    );
  });

  it('puts operators between their operands', () => {
    expect(pretty(`a * on (b) group_left (c) -(${long(100)} + d)`)).toBe(
      `  a\n* on (b) group_left (c)\n  -(\n      ${long(100)}\n    +\n      d\n  )`,
    );
  });

  it('keeps the brackets of a subquery behind what they are about', () => {
    expect(pretty(`rate((${long(100)} + y)[5m:1m] offset 5m)`)).toBe(
      `rate(\n  (\n      ${long(100)}\n    +\n      y\n  )[5m:1m] offset 5m\n)`,
    );
  });

  it('never splits a selector', () => {
    expect(pretty(`x{a="${long(200)}"}[5m] offset 1m`)).toBe(`x{a="${long(200)}"}[5m] offset 1m`);
  });
});
