// Label sets: order, identity, algebra.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareStrings } from '../../../src/labels/compare.ts';
import { Labels } from '../../../src/labels/labels.ts';

describe('Labels', () => {
  it('sorts names, drops empty values and lets the later pair win', () => {
    const labels = Labels.fromPairs([
      ['z', '1'],
      ['a', '2'],
      ['empty', ''],
      ['z', '3'],
    ]);
    expect(labels.pairs).toEqual(['a', '2', 'z', '3']);
  });

  it('reads an absent label as the empty value', () => {
    expect(Labels.fromObject({ a: '1' }).get('b')).toBe('');
  });

  it('orders a set before the longer set it begins', () => {
    const short = Labels.fromObject({ a: '1' });
    const long = Labels.fromObject({ a: '1', b: '2' });
    expect(short.compareTo(long)).toBeLessThan(0);
    expect(long.compareTo(short)).toBeGreaterThan(0);
  });

  it('sets, replaces and removes single labels in place of the order', () => {
    const labels = Labels.fromObject({ b: '1', d: '2' });
    expect(labels.with('c', 'x').pairs).toEqual(['b', '1', 'c', 'x', 'd', '2']);
    expect(labels.with('b', 'y').pairs).toEqual(['b', 'y', 'd', '2']);
    expect(labels.with('b', '').pairs).toEqual(['d', '2']);
  });

  it('has the same key exactly for equal sets, whatever the values contain', () => {
    const a = Labels.fromObject({ a: 'b,c' });
    const b = Labels.fromObject({ a: 'b', c: '' }).with('c', ',');
    expect(a.key).not.toBe(b.key);
    expect(a.key).toBe(Labels.fromPairs([['a', 'b,c']]).key);
  });

  it('merges with the other set winning', () => {
    const merged = Labels.fromObject({ a: '1', b: '1' }).merge(
      Labels.fromObject({ b: '2', c: '2' }),
    );
    expect(merged.toObject()).toEqual({ a: '1', b: '2', c: '2' });
  });

  it('prints PromQL notation', () => {
    expect(Labels.fromObject({ __name__: 'up', job: 'a"b' }).toString()).toBe('up{job="a\\"b"}');
    expect(Labels.empty.toString()).toBe('{}');
  });
});

describe('compareStrings', () => {
  it('orders supplementary characters after U+FFFF as UTF-8 bytes do', () => {
    expect('\u{1F600}' < '\uFF5E').toBe(true); // what JavaScript says
    expect(compareStrings('\u{1F600}', '\uFF5E')).toBeGreaterThan(0);
  });

  it('agrees with comparing encoded bytes for any two strings', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareStrings(a, b))).toBe(bytes);
      }),
    );
  });
});
