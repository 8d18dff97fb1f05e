import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { intersect, intersects, union, without } from '../../../../src/tsdb/index/postings.ts';
import {
  type PostingsSource,
  postingsForMatchers,
} from '../../../../src/tsdb/index/postings-for-matchers.ts';

const list = (...ids: number[]): Uint32Array => Uint32Array.from(ids);

describe('postings algebra', () => {
  it.each([
    [[], []],
    [[list()], []],
    [[list(1, 2, 3)], [1, 2, 3]],
    [[list(1, 2, 3), list()], []],
    [[list(1, 2, 3), list(4, 5)], []],
    [
      [list(1, 2, 3, 9), list(2, 3, 4, 9), list(3, 9, 10)],
      [3, 9],
    ],
    [[list(0, 0xffff_ffff), list(0xffff_ffff)], [0xffff_ffff]],
  ])('intersects %j', (lists, expected) => {
    expect([...intersect(lists)]).toEqual(expected);
  });

  it.each([
    [[], []],
    [[list(), list()], []],
    [
      [list(1, 3), list(2)],
      [1, 2, 3],
    ],
    [
      [list(1, 2), list(2, 3), list(3, 4)],
      [1, 2, 3, 4],
    ],
    [
      [list(0, 0xffff_ffff), list(5), list(0xffff_fffe)],
      [0, 5, 0xffff_fffe, 0xffff_ffff],
    ],
    [
      [list(0x8000_0000, 0x8000_0001), list(0x8000_001f), list(0x8000_0020)],
      [0x8000_0000, 0x8000_0001, 0x8000_001f, 0x8000_0020],
    ],
  ])('unites %j', (lists, expected) => {
    expect([...union(lists)]).toEqual(expected);
  });

  it.each([
    [list(1, 2, 3), list(2), [1, 3]],
    [list(1, 2, 3), list(), [1, 2, 3]],
    [list(1, 2, 3), list(0, 1, 2, 3, 4), []],
    [list(), list(1), []],
  ])('takes from %j the ids %j', (base, removed, expected) => {
    expect([...without(base, removed)]).toEqual(expected);
  });

  it('agrees with sets on dense, sparse and lopsided lists', () => {
    const sorted = (max: number, maxLength: number) =>
      fc
        .uniqueArray(fc.integer({ min: 0, max }), { maxLength })
        .map(ids => Uint32Array.from(ids).sort());
    const any = fc.oneof(sorted(30, 20), sorted(2000, 300), sorted(0xffff_ffff, 40));
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 5 }), lists => {
        const before = lists.map(ids => [...ids]);
        const [first, ...rest] = before;
        const all = [...new Set(before.flat())].sort((a, b) => a - b);
        expect([...intersect(lists)]).toEqual(
          first!.filter(id => rest.every(other => other.includes(id))),
        );
        expect([...union(lists)]).toEqual(all);
        const last = before.at(-1)!;
        expect([...without(lists[0]!, lists.at(-1)!)]).toEqual(
          first!.filter(id => !last.includes(id)),
        );
        expect(intersects(lists[0]!, lists.at(-1)!)).toBe(first!.some(id => last.includes(id)));
        expect(lists.map(ids => [...ids])).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});

describe('postings for matchers', () => {
  /** One label `a` with two values, series 1…4; remembers what it was asked. */
  function source(): { source: PostingsSource; asked: string[] } {
    const values = new Map([
      ['x', list(1, 3)],
      ['y', list(2)],
    ]);
    const asked: string[] = [];
    return {
      asked,
      source: {
        allPostings() {
          asked.push('all');
          return list(1, 2, 3, 4);
        },
        postings(name, wanted) {
          asked.push(`${name}: ${wanted.join(' ')}`);
          return union(name === 'a' ? wanted.map(value => values.get(value) ?? list()) : []);
        },
        postingsWhere(name, accepts) {
          asked.push(`${name}?`);
          const found = name === 'a' ? [...values].filter(([value]) => accepts(value)) : [];
          return union(found.map(([, ids]) => ids));
        },
      },
    };
  }

  it.each([
    ['=', 'x', [1, 3], ['a: x']],
    ['=~', 'x|y', [1, 2, 3], ['a: x y']],
    ['!=', 'x', [2, 4], ['all', 'a: x']],
    ['!~', 'x|y', [4], ['all', 'a: x y']],
    ['=', '', [4], ['all', 'a?']],
    ['!=', '', [1, 2, 3], ['a?']],
    ['=~', 'x|', [1, 3, 4], ['all', 'a?']],
    ['=~', '.*', [1, 2, 3, 4], ['all']],
    ['=~', '[x-z]', [1, 2, 3], ['a?']],
  ] as const)('looks up a%s"%s" the cheapest way', async (type, value, ids, asked) => {
    const made = source();
    const found = await postingsForMatchers(made.source, [new Matcher(type, 'a', value)]);
    expect([...found]).toEqual(ids);
    expect(made.asked).toEqual(asked);
  });

  it('stops at the first matcher that nothing passes, literals first', async () => {
    const made = source();
    const matchers = [new Matcher('=~', 'a', '[x-z]'), new Matcher('=', 'b', 'nothing')];
    expect([...(await postingsForMatchers(made.source, matchers))]).toEqual([]);
    expect(made.asked).toEqual(['b: nothing']);
  });

  it('takes no matchers for all series', async () => {
    expect([...(await postingsForMatchers(source().source, []))]).toEqual([1, 2, 3, 4]);
  });
});
