// Matchers: RE2, anchored, an absent label is the empty value.

import { describe, expect, it } from 'vitest';
import { Matcher, type MatchType } from '../../../src/labels/matcher.ts';
import { compileAnchored } from '../../../src/labels/regex.ts';

const table: [type: MatchType, value: string, input: string, matches: boolean][] = [
  ['=', 'a', 'a', true],
  ['=', 'a', 'ab', false],
  ['=', '', '', true],
  ['!=', 'a', '', true],
  ['!=', '', '', false],
  ['=~', 'a|b', 'b', true],
  ['=~', 'a|b', 'ab', false],
  ['=~', 'a|', '', true],
  ['=~', 'node_.*', 'node_cpu', true],
  ['=~', 'node_.*', 'xnode_cpu', false],
  ['=~', '.*_total', 'x_total', true],
  ['=~', '.*cpu.*', 'node_cpu_x', true],
  ['=~', '.+', '', false],
  ['=~', '.*', '', true],
  ['=~', 'a.b', 'a\nb', true],
  ['=~', '(?i)ABC', 'abc', true],
  ['=~', 'a{2,3}', 'aaa', true],
  ['!~', 'a.*', 'b', true],
  ['!~', 'a.*', 'ab', false],
];

describe('Matcher', () => {
  it.each(table)('%s %j on %j is %s', (type, value, input, matches) => {
    expect(new Matcher(type, 'l', value).matches(input)).toBe(matches);
  });

  it('knows its literal values where it has any', () => {
    expect(new Matcher('=~', 'l', 'a|b').literals).toEqual(['a', 'b']);
    expect(new Matcher('=', 'l', 'a|b').literals).toEqual(['a|b']);
    expect(new Matcher('=~', 'l', 'a.*').literals).toBeNull();
    expect(new Matcher('!=', 'l', 'a').literals).toBeNull();
  });

  it('inverts', () => {
    expect(new Matcher('=~', 'l', 'a.+').inverse().matches('ab')).toBe(false);
  });

  it('refuses what RE2 refuses, naming the expression', () => {
    expect(() => new Matcher('=~', 'l', '(?=a)')).toThrow(/invalid regular expression "\(\?=a\)"/);
    expect(() => new Matcher('=~', 'l', 'a(')).toThrow(SyntaxError);
  });

  it('does not backtrack on a hostile expression', () => {
    const started = performance.now();
    expect(new Matcher('=~', 'l', '(a+)+b').matches('a'.repeat(5000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('compileAnchored', () => {
  it('captures groups by position and by name', () => {
    const groups = compileAnchored('(?P<host>[^:]+):(\\d+)').capture('db-1:9100');
    expect(groups?.byIndex).toEqual(['db-1:9100', 'db-1', '9100']);
    expect(groups?.byName.get('host')).toBe('db-1');
    expect(compileAnchored('a').capture('ab')).toBeNull();
  });
});
