import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/promql/parse-error.ts';
import { parseQuery, parseSelector } from '../../../src/promql/parser.ts';
import { printExpr } from '../../../src/promql/printer.ts';

function printed(text: string): string {
  return printExpr(parseQuery(text));
}

function problem(text: string): string {
  try {
    parseQuery(text);
  } catch (thrown) {
    if (thrown instanceof ParseError) return thrown.message;
    throw thrown;
  }
  return 'no error';
}

/** The structure as nested parentheses. */
function shape(text: string): string {
  const walk = (expr: ReturnType<typeof parseQuery>): string => {
    switch (expr.kind) {
      case 'binary':
        return `(${walk(expr.left)} ${expr.op} ${walk(expr.right)})`;
      case 'unary':
        return `${expr.op}[${walk(expr.operand)}]`;
      case 'parens':
        return walk(expr.inner);
      default:
        return printExpr(expr);
    }
  };
  return walk(parseQuery(text));
}

describe('precedence', () => {
  it.each([
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['1 - 2 - 3', '((1 - 2) - 3)'],
    ['2 ^ 3 ^ 2', '(2 ^ (3 ^ 2))'],
    ['-1 ^ 2', '-[(1 ^ 2)]'],
    ['-1 * 2', '(-1 * 2)'],
    ['2 ^ -1 * 3', '((2 ^ -1) * 3)'],
    ['a or b and c unless d', '(a or ((b and c) unless d))'],
    ['a == bool b + c', '(a == (b + c))'],
    ['a * b % c / d atan2 e', '((((a * b) % c) / d) atan2 e)'],
    ['a > b == c', '((a > b) == c)'],
    ['- - a', '-[-[a]]'],
    ['a + b offset 5m * c', '(a + (b offset 5m * c))'],
    ['a * -b offset 5m', '(a * -[b offset 5m])'],
    ['a + b @ 5', '(a + b @ 5.000)'],
    ['a ^ b offset 1m ^ c', '(a ^ (b offset 1m ^ c))'],
  ])('%s is %s', (text, expected) => {
    expect(shape(text)).toBe(expected);
  });
});

describe('canonical text', () => {
  it.each([
    ['sum  by(b,  a)(x)', 'sum by (b, a) (x)'],
    ['SUM(x) WITHOUT (a)', 'sum without (a) (x)'],
    ['x{b="1",a=~"2"}', 'x{a=~"2",b="1"}'],
    ['{"my.metric", "a.b"="c"}', '{"a.b"="c",__name__="my.metric"}'],
    ['rate(x[90s])', 'rate(x[1m30s])'],
    ['x[300]', 'x[5m]'],
    ['x offset -5m', 'x offset -5m'],
    ['x @ 1.5', 'x @ 1.500'],
    ['x @ start()', 'x @ start()'],
    ['x[5m:1m] @ end() offset 1h', 'x[5m:1m] @ end() offset 1h'],
    ['x[5m:]', 'x[5m:]'],
    ['x[step() * 2]', 'x[step() * 2]'],
    ['x[min_of(5m, step())]', 'x[min_of(5m, step())]'],
    ['x offset (1m + step())', 'x offset (1m + step())'],
    ['a + on(x) group_left(y) b', 'a + on (x) group_left (y) b'],
    ['a == bool ignoring(x) b', 'a == bool ignoring (x) b'],
    ['a + fill(0) b', 'a + fill (0) b'],
    ['a + fill_left(-1) fill_right(2) b', 'a + fill_left (-1) fill_right (2) b'],
    ['rate(x[5m] anchored)', 'rate(x[5m] anchored)'],
    ['x smoothed', 'x smoothed'],
    ['0x1F + 1_000', '31 + 1000'],
    ['5m', '5m'],
    ['1e3', '1000'],
    ['010', '8'],
    ['2.', '2'],
    ['Inf - inf', '+Inf - +Inf'],
    ['-Inf - -inf', '-Inf - -Inf'],
    ['Inf ^ inf', 'Inf ^ +Inf'],
    ['"a\\x41\\u00e9\\n"', '"aAé\\n"'],
    ['`raw\\n`', '"raw\\\\n"'],
    ['min_of(1, max_of(2, 3))', 'min_of(1, max_of(2, 3))'],
    ['count(x) # comment', 'count(x)'],
    ['topk(5, x)', 'topk(5, x)'],
    ['h </ 5', 'h </ 5'],
    ['x{a!="",b!~"c|d"}', 'x{a!="",b!~"c|d"}'],
    ['sum', 'sum'],
    ['{on="x",bool="y"}', '{bool="y",on="x"}'],
  ])('%s prints as %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });
});

describe('errors of the text', () => {
  it.each([
    ['', 'unknown position: parse error: no expression found in input'],
    [' ', '1:1: parse error: no expression found in input'],
    ['1 +', '1:4: parse error: unexpected end of input'],
    ['foo bar', '1:5: parse error: unexpected identifier "bar"'],
    ['1 +\n  foo(', '2:3: parse error: unknown function with name "foo"'],
    ['foo(1)', '1:1: parse error: unknown function with name "foo"'],
    ['(1', '1:3: parse error: unclosed left parenthesis'],
    ['1)', "1:2: parse error: unexpected right parenthesis ')'"],
    ['foo[5m', '1:7: parse error: unclosed left bracket'],
    ['foo{', '1:5: parse error: unexpected end of input inside braces'],
    ['foo{a=}', '1:7: parse error: unexpected "}" in label matching, expected string'],
    [
      'foo{a b}',
      '1:7: parse error: unexpected identifier "b" in label matching, expected label matching operator',
    ],
    ['"abc', '1:1: parse error: unterminated quoted string'],
    ['$', "1:1: parse error: unexpected character: '$'"],
    ['sum by x (a)', '1:8: parse error: unexpected identifier "x" in grouping opts, expected "("'],
    [
      'foo[]',
      '1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    [
      'foo offset',
      '1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()',
    ],
    ['foo @', '1:6: parse error: unexpected end of input in @, expected timestamp'],
    ['foo offset 5m offset 5m', '1:1: parse error: offset may not be set multiple times'],
    ['foo @ 1 @ 2', '1:1: parse error: @ <timestamp> may not be set multiple times'],
    [
      'rate(x[5m]) offset 5m',
      '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    ['(foo + bar)[5m]', '1:12: parse error: ranges only allowed for vector selectors'],
    ['foo[0]', '1:5: parse error: duration must be greater than 0'],
    [
      'foo{a=~"("}',
      '1:5: parse error: invalid regular expression "(": error parsing regexp: missing closing ): `(?s)(`',
    ],
    ['"\\q"', "1:1: parse error: unknown escape sequence U+0071 'q'"],
  ])('%s: %s', (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  it('reads long strings, and refuses long text outside of them before it costs anything', () => {
    const many = Array.from({ length: 50_000 }, (_, i) => `host-${i}`).join('|');
    expect(parseQuery(`up{instance=~"${many}"}`).kind).toBe('vector-selector');
    expect(problem('1 + '.repeat(20_000) + '1')).toContain(
      'more than 50000 characters outside of its strings',
    );
  });

  it('spends little on text that goes wrong again and again', () => {
    const start = performance.now();
    problem('min_of('.repeat(900));
    expect(performance.now() - start).toBeLessThan(3000);
  });

  it('refuses text that nests too deeply instead of overflowing the stack', () => {
    expect(problem(`${'('.repeat(5000)}1${')'.repeat(5000)}`)).toContain('nests too deeply');
  });
});

describe('types', () => {
  it.each([
    [
      'rate(foo)',
      '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    [
      'sum(1)',
      '1:5: parse error: expected type instant vector in aggregation expression, got scalar',
    ],
    [
      'topk(foo, foo)',
      '1:6: parse error: expected type scalar in aggregation parameter, got instant vector',
    ],
    [
      'sum(a, b)',
      '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2',
    ],
    ['sum()', '1:1: parse error: no arguments for aggregate expression provided'],
    [
      '-foo[5m]',
      '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
    ],
    ['1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['a + bool b', '1:3: parse error: bool modifier can only be used on comparison operators'],
    ['a and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ['a and on(x) group_left b', '1:1: parse error: no grouping allowed for "and" operation'],
    [
      'a + on(x) group_left(x) b',
      '1:3: parse error: label "x" must not occur in ON and GROUP clause at once',
    ],
    ['1 + on(x) a', '1:1: parse error: vector matching only allowed between instant vectors'],
    [
      'a[5m] + 1',
      '1:1: parse error: binary expression must contain only scalar and instant vector types',
    ],
    ['clamp(a, 1)', '1:1: parse error: expected 3 argument(s) in call to "clamp", got 2'],
    [
      'label_join(a, "b")',
      '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 2',
    ],
    [
      'round(a, 1, 2)',
      '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3',
    ],
    ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
    [
      '1[5m:1m]',
      '1:1: parse error: subquery is only allowed on instant vector, got scalar instead',
    ],
    ['a or fill(0) b', '1:1: parse error: filling in missing series not allowed for set operators'],
    ['info(a, b)', '1:9: parse error: expected label selectors only, got vector selector instead'],
  ])('%s: %s', (text, expected) => {
    expect(problem(text)).toBe(expected);
  });
});

describe('selectors', () => {
  it('reads a plain selector for the series API', () => {
    const { name, matchers } = parseSelector('up{job="a"}');
    expect(name).toBe('up');
    expect(matchers.map(String)).toEqual(['job="a"', '__name__="up"']);
  });

  it('refuses anything else there', () => {
    expect(() => parseSelector('up offset 5m')).toThrow(
      'expected a series selector and nothing else',
    );
    expect(() => parseSelector('sum(up)')).toThrow('expected a series selector and nothing else');
  });

  it('keeps bytes that are not UTF-8 recognisable', () => {
    const expr = parseQuery('"a\\xc5z"');
    expect(expr.kind === 'string' && expr.value.isWellFormed()).toBe(false);
    expect(printExpr(expr)).toBe('"a\\xc5z"');
  });
});
