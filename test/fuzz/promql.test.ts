// Properties of the query language: texts that are printed read back as the same thing, and a range query
// is nothing but instant queries side by side.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery } from '../../src/promql/parser.ts';
import { printExpr } from '../../src/promql/printer.ts';
import type { QueryResult } from '../../src/promql/result.ts';
import { storageOf, testEngine } from '../src/promql/fixture.ts';

const MINUTE = 60_000;

const names = fc.constantFrom('m', 'n_total', 'sum', 'start', 'by');
const strings = fc.oneof(fc.constantFrom('a', '', 'x y', 'é', '"', '\\', '\n'), fc.string());
const matchers = fc
  .tuple(fc.constantFrom('a', 'job', 'on', 'le.x'), fc.constantFrom('=', '!='), strings)
  .map(([name, op, value]) => `${JSON.stringify(name)}${op}${goQuote(value)}`);
const durations = fc.constantFrom('5m', '1h30m', '90s', '300', 'step()', '(1m + step())', '2m * 3');
const modifiers = fc.constantFrom('', ' offset 5m', ' offset -1h', ' @ 12.5', ' @ end() offset 1m');

function goQuote(text: string): string {
  const escaped = [...text].map(c => {
    const code = c.codePointAt(0)!;
    if (c === '"' || c === '\\') return `\\${c}`;
    return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : c;
  });
  return `"${escaped.join('')}"`;
}

const { vector } = fc.letrec<{ vector: string; scalar: string }>(tie => ({
  scalar: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('1', '-2.5', '5m', 'Inf', '0x1f', 'time()', 'pi()'),
    fc
      .tuple(tie('scalar'), fc.constantFrom('+', '*', '^', '/'), tie('scalar'))
      .map(p => p.join(' ')),
    tie('scalar').map(s => `-(${s})`),
    tie('vector').map(v => `scalar(${v})`),
  ),
  vector: fc.oneof(
    { maxDepth: 4 },
    fc
      .tuple(names, fc.array(matchers, { maxLength: 2 }), modifiers)
      .map(([name, list, mods]) => `${name}${list.length ? `{${list.join(',')}}` : ''}${mods}`),
    fc.tuple(names, durations, modifiers).map(([n, d, mods]) => `rate(${n}[${d}]${mods})`),
    fc.tuple(tie('vector'), modifiers).map(([v, mods]) => `max_over_time((${v})[10m:1m]${mods})`),
    fc
      .tuple(
        tie('vector'),
        fc.constantFrom('+', '- on (a)', '> bool', '== ignoring (a, b)', 'and', 'or on ()', '^'),
        tie('vector'),
      )
      .map(([l, op, r]) => `${l} ${op} ${r}`),
    fc.tuple(tie('vector'), fc.constantFrom('*', '<', '% '), tie('scalar')).map(p => p.join(' ')),
    fc
      .tuple(fc.constantFrom('sum', 'avg by (a)', 'count without (job)'), tie('vector'))
      .map(([op, v]) => `${op} (${v})`),
    fc.tuple(tie('scalar'), tie('vector')).map(([k, v]) => `topk(${k}, ${v})`),
    tie('vector').map(v => `-${v}`),
    tie('vector').map(v => `label_replace(${v}, "a", "$1", "b", "(.*)")`),
  ),
}));

describe('the printer', () => {
  it('writes what reads back as the same text', () => {
    fc.assert(
      fc.property(vector, text => {
        fc.pre(readable(text));
        const printed = printExpr(parseQuery(text));
        expect(printExpr(parseQuery(printed))).toBe(printed);
        expect(shape(printed)).toEqual(shape(text));
      }),
      { numRuns: 500 },
    );
  });
});

/** Texts that the checker refuses are no subject here. */
function readable(text: string): boolean {
  try {
    parseQuery(text);
    return true;
  } catch {
    return false;
  }
}

/** The AST without positions and without what only the notation differs in. */
function shape(text: string): unknown {
  return JSON.parse(
    JSON.stringify(parseQuery(text), (key, value) => {
      if (key === 'span' || key === 'opSpan' || key === 'unit') return undefined;
      if (key === 'matchers') return value.map(String).sort();
      return typeof value === 'number' ? String(value) : value;
    }),
  );
}

const LINES = [
  'm{a="1", job="x"} 1 3 _ 2 stale 5 8 13 2 1 NaN 4',
  'm{a="2", job="x"} _ 10x5 20 3 _ _ _ 7',
  'm{a="2", job="y"} 0+5x11',
  'n_total{a="1", job="x"} 0+7x4 0+7x6',
  'n_total{a="2", job="y"} 100+3x11',
];
const QUERIES = [
  'm',
  'm offset 1m',
  'm @ 200',
  '-m',
  'rate(n_total[3m])',
  'irate(n_total[5m])',
  'delta(m[4m])',
  'avg_over_time(m[3m])',
  'quantile_over_time(0.3, m[4m])',
  'deriv(m[5m])',
  'predict_linear(m[5m], 60)',
  'sum by (a) (m)',
  'avg(m)',
  'stddev by (job) (m)',
  'quantile(0.7, m)',
  'max without (a) (m)',
  'count_values("v", m)',
  'sum(topk(1, m))',
  'm + n_total',
  'm > ignoring(a) group_left sum without (a) (n_total)',
  'm and on (a) n_total',
  'm unless n_total > 20',
  'm or n_total',
  'max_over_time(rate(n_total[2m])[4m:30s])',
  'sum_over_time(m[3m:1m] offset 1m)',
  'absent(m{a="1"})',
  'scalar(m{a="1"}) + time()',
  'label_replace(m, "b", "$1", "a", "(.*)")',
  'timestamp(m)',
  'minute(vector(time()))',
  'clamp(m, 2, 6) == bool 6',
];

/** Values by label set and time. */
function cells(result: QueryResult, timeMs: number): Map<string, string> {
  const out = new Map<string, string>();
  const { value } = result;
  if (value.type === 'vector') {
    for (const s of value.samples) out.set(`${s.labels}@${timeMs}`, String(s.value));
  } else if (value.type === 'scalar') {
    out.set(`{}@${timeMs}`, String(value.value));
  } else if (value.type === 'matrix') {
    for (const s of value.series) {
      s.times.forEach((time, i) => {
        out.set(`${s.labels}@${time}`, String(s.values[i]));
      });
    }
  }
  return out;
}

describe('a range query', () => {
  const storage = storageOf(MINUTE, ...LINES);

  it('answers what instant queries at its steps answer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...QUERIES),
        fc.integer({ min: -2, max: 8 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(7_000, 30_000, 45_000, 60_000, 61_000),
        fc.boolean(),
        async (query, startMinutes, count, stepMs, delayedNameRemoval) => {
          const engine = testEngine({ delayedNameRemoval });
          const startMs = startMinutes * MINUTE;
          const endMs = startMs + (count - 1) * stepMs;
          const range = await engine.range(storage, query, { startMs, endMs, stepMs });
          const expected = new Map<string, string>();
          for (let timeMs = startMs; timeMs <= endMs; timeMs += stepMs) {
            const instant = await engine.instant(storage, query, { timeMs });
            for (const [key, value] of cells(instant, timeMs)) expected.set(key, value);
          }
          expect(cells(range, 0)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});
