import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../../src/labels/labels.ts';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { Slicer } from '../../../../src/lifecycle/slicer.ts';
import { HeadIndex } from '../../../../src/tsdb/head/head-index.ts';
import { RefTable } from '../../../../src/tsdb/head/ref-table.ts';
import { SeriesOrder } from '../../../../src/tsdb/head/series-order.ts';
import { offsetOf, SpanArena } from '../../../../src/tsdb/head/span-arena.ts';
import { SymbolTable } from '../../../../src/tsdb/head/symbols.ts';
import { postingsForMatchers } from '../../../../src/tsdb/index/postings-for-matchers.ts';

const slicer = new Slicer(() => 0);

describe('symbols', () => {
  test('what is not marked is forgotten and its number used again', async () => {
    const symbols = new SymbolTable();
    const [a, b] = [symbols.intern('a'), symbols.intern('b')];
    symbols.beginMark();
    symbols.mark(b);
    const c = symbols.intern('c');
    expect(await symbols.sweep(slicer)).toBe(1);
    expect([symbols.find('a'), symbols.find('b'), symbols.find('c')]).toEqual([-1, b, c]);
    expect(symbols.intern('d')).toBe(a);
  });

  test('a string met again while a collection marks is kept', async () => {
    const symbols = new SymbolTable();
    const a = symbols.intern('a');
    symbols.beginMark();
    symbols.intern('a');
    await symbols.sweep(slicer);
    expect(symbols.text(a)).toBe('a');
  });
});

describe('span arena', () => {
  test('freed spans are given out again by length', () => {
    const arena = new SpanArena();
    const [a, b] = [arena.take(3), arena.take(3)];
    arena.free(a, 3);
    arena.free(b, 3);
    expect(arena.used).toBe(0);
    expect([arena.take(3), arena.take(3)].sort()).toEqual([a, b].sort());
    expect(arena.take(4)).toBeGreaterThan(b);
  });
});

describe('a span arena that is cleared out', () => {
  const LONG = 200_000;

  test('holds what it held, in less memory', () => {
    const arena = new SpanArena();
    const spans = Array.from({ length: 60_000 }, (_, i) => ({ i, start: arena.take(1 + (i % 9)) }));
    const long = [arena.take(LONG), arena.take(LONG)];
    for (const { i, start } of spans) arena.wordsOf(start)[offsetOf(start)] = i;
    arena.wordsOf(long[1]!)[offsetOf(long[1]!) + LONG - 1] = 7;
    const kept = spans.filter(({ i }) => i % 5 === 0);
    for (const { i, start } of spans) if (i % 5 !== 0) arena.free(start, 1 + (i % 9));
    arena.free(long[0]!, LONG);
    const before = arena.bytes;
    expect(arena.beginMove()).toBe(true);
    const during = arena.take(3);
    for (const span of kept) {
      if (arena.isOld(span.start)) span.start = arena.move(span.start, 1 + (span.i % 9));
    }
    const moved = arena.move(long[1]!, LONG);
    arena.endMove();
    for (const { i, start } of kept) expect(arena.wordsOf(start)[offsetOf(start)]).toBe(i);
    expect(arena.wordsOf(moved)[offsetOf(moved) + LONG - 1]).toBe(7);
    expect(arena.bytes).toBeLessThan(before * 0.6);
    expect(arena.used).toBe(kept.reduce((sum, { i }) => sum + 1 + (i % 9), 3 + LONG));
    for (const { i, start } of kept) arena.free(start, 1 + (i % 9));
    arena.free(during, 3);
    arena.free(moved, LONG);
    expect(arena.used).toBe(0);
  });

  test('uses the numbers of what it gave back again', () => {
    const arena = new SpanArena();
    const top = (): number => {
      const starts = Array.from({ length: 40_000 }, () => arena.take(8));
      const [first, ...rest] = starts;
      for (const start of rest) arena.free(start, 8);
      expect(arena.beginMove()).toBe(true);
      const moved = arena.move(first!, 8);
      arena.endMove();
      arena.free(moved, 8);
      return Math.max(...starts);
    };
    // A round takes six segments; all of them without giving any back would take 120.
    for (let round = 0; round < 20; round++) expect(top()).toBeLessThan(13 * 65_536);
  });

  test('is left alone where most of it is used', () => {
    const arena = new SpanArena();
    for (let i = 0; i < 40_000; i++) arena.take(8);
    expect(arena.beginMove()).toBe(false);
  });
});

describe('reference table', () => {
  test('pages without references are dropped', () => {
    const table = new RefTable();
    for (let ref = 1; ref <= 100_000; ref++) table.set(ref, ref % 10);
    expect(table.get(54_321)).toBe(1);
    for (let ref = 1; ref < 100_000; ref++) table.delete(ref);
    expect(table.size).toBe(1);
    expect(table.get(54_321)).toBe(-1);
    expect(table.get(100_000)).toBe(0);
    expect(table.bytes).toBeLessThan(6000);
    expect(table.get(4_000_000_000)).toBe(-1);
  });
});

/** The index of these label sets, slot i and reference 10 + i. */
function indexOf(sets: readonly Record<string, string>[]): HeadIndex {
  const index = new HeadIndex();
  for (const [i, set] of sets.entries()) index.add(i, 10 + i, Labels.fromObject(set).pairs);
  return index;
}

describe('head index', () => {
  const index = indexOf([
    { __name__: 'up', job: 'a' },
    { __name__: 'up', job: 'b' },
    { __name__: 'down' },
  ]);

  test('finds series by labels and labels by series', () => {
    expect(index.find(['__name__', 'up', 'job', 'b'])).toBe(1);
    expect(index.find(['__name__', 'up', 'job', 'c'])).toBe(-1);
    expect(index.find(['__name__', 'up'])).toBe(-1);
    expect(index.labelsOf(2).toString()).toBe('down');
    expect(index.labelOf(0, index.symbols.find('job'))).toBe('a');
    expect(index.labelOf(2, index.symbols.find('job'))).toBe('');
    expect(index.labelOf(2, -1)).toBe('');
  });

  test.each([
    ['a value', [new Matcher('=', '__name__', 'up')], [10, 11]],
    ['any of several', [new Matcher('=~', 'job', 'a|b|z')], [10, 11]],
    ['an expression', [new Matcher('=~', 'job', '[b-z]')], [11]],
    ['absence', [new Matcher('=', 'job', '')], [12]],
    ['not a value', [new Matcher('!=', 'job', 'a')], [11, 12]],
    ['a name nobody has', [new Matcher('=', 'nope', 'x')], []],
    ['nothing in particular', [], [10, 11, 12]],
  ])('selects by %s', async (_, matchers, refs) => {
    expect([...(await postingsForMatchers(index, matchers))]).toEqual(refs);
  });
});

test('a table of thousands finds each series, also after others were removed', () => {
  const index = new HeadIndex();
  const pairs = (i: number): string[] => ['a', String(i % 7), 'b', String(i)];
  for (let i = 0; i < 5000; i++) index.add(i, i + 1, pairs(i));
  for (let i = 0; i < 5000; i += 3) index.table.remove(i);
  for (let i = 0; i < 5000; i++) expect(index.find(pairs(i))).toBe(i % 3 === 0 ? -1 : i);
  expect(index.table.size).toBe(3333);
});

test('postings stay sorted when references come out of order', () => {
  const index = new HeadIndex();
  for (const ref of [5, 9, 7, 6, 8, 1]) index.add(ref, ref, ['a', String(ref), 'b', '']);
  expect([...index.postings('b', [''])]).toEqual([1, 5, 6, 7, 8, 9]);
  expect([...index.allPostings()]).toEqual([1, 5, 6, 7, 8, 9]);
});

test('collected series leave the lists, and empty names disappear', async () => {
  const index = indexOf([{ a: '1', b: 'x' }, { a: '1' }, { a: '2', c: 'z' }]);
  const dirty = new Set<number>();
  for (const slot of [0, 2]) {
    index.lists.lists(index.table.symbols(slot), list => dirty.add(list));
    index.table.remove(slot);
  }
  await index.lists.collect(dirty, ref => index.table.slotOf(ref) >= 0, slicer);
  expect([...index.postings('a', ['1', '2'])]).toEqual([11]);
  expect([...index.allPostings()]).toEqual([11]);
  const names = [...index.lists.names()].map(name => index.symbols.text(name));
  expect(names).toEqual(['a']);
});

test('growing, shrinking and growing lists agree with a plain model', async () => {
  const operation = fc.record({ add: fc.boolean(), value: fc.integer({ min: 0, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 200 }), async operations => {
      const index = new HeadIndex();
      const model = new Map<number, string>();
      for (const [i, { add, value }] of operations.entries()) {
        if (add) {
          index.add(i, i + 1, ['id', String(i), 'v', String(value)]);
          model.set(i + 1, String(value));
          continue;
        }
        const dirty = new Set<number>();
        for (const [ref, text] of model) {
          if (text !== String(value) || ref % 2 === 0) continue;
          index.lists.lists(index.table.symbols(ref - 1), list => dirty.add(list));
          index.table.remove(ref - 1);
          model.delete(ref);
        }
        await index.lists.collect(dirty, ref => model.has(ref), slicer);
      }
      for (const value of ['0', '1', '2', '3']) {
        const expected = [...model].filter(([, v]) => v === value).map(([ref]) => ref);
        expect([...index.postings('v', [value])]).toEqual(expected);
      }
      expect([...index.allPostings()]).toEqual([...model.keys()]);
    }),
    { numRuns: 100 },
  );
});

test('series are sorted by labels, new ones merged in, gone ones left out', async () => {
  const index = new HeadIndex();
  const order = new SeriesOrder(index);
  const add = (slot: number, set: Record<string, string>): void => {
    index.add(slot, slot + 1, Labels.fromObject(set).pairs);
    order.add(slot + 1);
  };
  const sets = ['é', '\u{1F600}', '\uFFFD', 'a', 'aa', 'B'].map(v => ({ a: v }));
  for (const [slot, set] of sets.entries()) add(slot, set);
  expect([...(await order.sort(index.allPostings(), slicer))]).toEqual([6, 4, 5, 1, 3, 2]);
  add(6, { a: 'a', b: '1' });
  index.table.remove(0);
  expect([...(await order.sort(Uint32Array.of(1, 2, 4, 5, 7), slicer))]).toEqual([4, 7, 5, 2]);
});

test('thousands of series sort as their label sets compare', async () => {
  const index = new HeadIndex();
  const order = new SeriesOrder(index);
  for (let i = 0; i < 5000; i++) {
    const scrambled = Math.imul(i, 2_654_435_761) >>> 0;
    index.add(i, i + 1, ['a', String(scrambled % 50), 'b', String(scrambled)]);
    order.add(i + 1);
  }
  const sorted = await order.sort(index.allPostings(), slicer);
  expect(sorted.length).toBe(5000);
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [index.labelsOf(sorted[i - 1]! - 1), index.labelsOf(sorted[i]! - 1)];
    expect(a.compareTo(b)).toBeLessThan(0);
  }
});
