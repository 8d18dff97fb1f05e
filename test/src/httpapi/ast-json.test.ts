import { expect, test } from 'vitest';
import { astJson } from '../../../src/httpapi/ast-json.ts';
import { parseQuery } from '../../../src/promql/parser.ts';

const UP = { type: '=', name: '__name__', value: 'up' };
const SELECTOR = {
  type: 'vectorSelector',
  name: 'up',
  offset: 0,
  offsetExpr: null,
  matchers: [UP],
  timestamp: null,
  startOrEnd: null,
  anchored: false,
  smoothed: false,
};

test.each([
  ['1e3', { type: 'numberLiteral', val: '1000' }],
  ['"a"', { type: 'stringLiteral', val: 'a' }],
  ['up', SELECTOR],
  ['-(up)', { type: 'unaryExpr', op: '-', expr: { type: 'parenExpr', expr: SELECTOR } }],
  [
    'up{job=~"a.*"}[5m] @ 1.5 offset -1m',
    {
      ...SELECTOR,
      type: 'matrixSelector',
      range: 300_000,
      rangeExpr: null,
      offset: -60_000,
      matchers: [{ type: '=~', name: 'job', value: 'a.*' }, UP],
      timestamp: 1500,
    },
  ],
  [
    'up[1h:1m] @ end()',
    {
      type: 'subquery',
      expr: SELECTOR,
      range: 3_600_000,
      rangeExpr: null,
      offset: 0,
      offsetExpr: null,
      step: 60_000,
      stepExpr: null,
      timestamp: null,
      startOrEnd: 'end',
    },
  ],
  [
    'topk by (job) (2, up)',
    {
      type: 'aggregation',
      op: 'topk',
      expr: SELECTOR,
      param: { type: 'numberLiteral', val: '2' },
      grouping: ['job'],
      without: false,
    },
  ],
  [
    'up * on(a) group_left(b) up',
    {
      type: 'binaryExpr',
      op: '*',
      lhs: SELECTOR,
      rhs: SELECTOR,
      matching: {
        card: 'many-to-one',
        labels: ['a'],
        on: true,
        include: ['b'],
        fillValues: { lhs: null, rhs: null },
      },
      bool: false,
    },
  ],
  [
    'up == bool 1',
    {
      type: 'binaryExpr',
      op: '==',
      lhs: SELECTOR,
      rhs: { type: 'numberLiteral', val: '1' },
      matching: null,
      bool: true,
    },
  ],
  [
    'round(up)',
    {
      type: 'call',
      func: { name: 'round', argTypes: ['vector', 'scalar'], variadic: 1, returnType: 'vector' },
      args: [SELECTOR],
    },
  ],
])('the tree of %s', (query, tree) => {
  expect(astJson(parseQuery(query))).toEqual(tree);
});

const FIVE_MINUTES = { type: 'numberLiteral', val: '300', duration: true };
const computed = (op: string, lhs: object | null, rhs: object | null, wrapped = false) => ({
  ...{ type: 'durationExpr', op, lhs, rhs, wrapped },
});

test.each([
  ['up[5]', 5000, null],
  ['up[5m*2]', 0, computed('*', FIVE_MINUTES, { ...FIVE_MINUTES, val: '2', duration: false })],
  ['up[(5m)]', 0, computed('+', null, FIVE_MINUTES, true)],
  [
    'up[2*-5m]',
    0,
    computed('*', { ...FIVE_MINUTES, val: '2', duration: false }, { ...FIVE_MINUTES, val: '-300' }),
  ],
  ['up[max_of(5m,step())]', 0, computed('max_of', FIVE_MINUTES, computed('step', null, null))],
])('a computed range is told as it is written: %s', (text, range, rangeExpr) => {
  expect(astJson(parseQuery(text))).toMatchObject({ range, rangeExpr });
});

test.each([
  ['up offset -(5m)', computed('-', null, computed('+', null, FIVE_MINUTES, true))],
  ['up offset -step()', computed('-', null, computed('step', null, null))],
])('a computed offset is told as it is written: %s', (text, offsetExpr) => {
  expect(astJson(parseQuery(text))).toMatchObject({ offset: 0, offsetExpr });
});
