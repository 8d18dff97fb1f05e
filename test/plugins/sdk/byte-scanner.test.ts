// Reading words and numbers from bytes.

import { describe, expect, it } from 'vitest';
import { ByteScanner } from '../../../plugins/sdk/byte-scanner.ts';
import { RowCache } from '../../../plugins/sdk/row-cache.ts';

const over = (text: string): ByteScanner => new ByteScanner().reset(new TextEncoder().encode(text));

describe('ByteScanner', () => {
  it('walks lines and words, the last line with or without its newline', () => {
    for (const text of ['a  b\tc\n\n d \n', 'a  b\tc\n\n d ']) {
      const scanner = over(text);
      const lines: string[][] = [];
      while (scanner.line()) {
        const words: string[] = [];
        while (scanner.word()) words.push(scanner.text());
        lines.push(words);
      }
      expect(lines).toEqual([['a', 'b', 'c'], [], ['d']]);
    }
  });

  it('does not read beyond the length it was given', () => {
    const bytes = new TextEncoder().encode('one two\nthree\n');
    const scanner = new ByteScanner().reset(bytes, 5);
    expect(scanner.line() && scanner.word() && scanner.text()).toBe('one');
    expect(scanner.word() && scanner.text()).toBe('t');
    expect(scanner.word()).toBe(false);
    expect(scanner.line()).toBe(false);
  });

  const numbers: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['18', 18],
    ['-5', -5],
    ['0.05', 0.05],
    ['12.34', 12.34],
    ['-0.1', -0.1],
    ['9007199254740993', 9007199254740992],
    ['18446744073709551615', 2 ** 64],
    ['123456789.123456789', 123456789.12345679],
    ['', Number.NaN],
    ['-', Number.NaN],
    ['.', Number.NaN],
    ['1e5', Number.NaN],
    ['12x', Number.NaN],
    ['1.2.3', Number.NaN],
  ];
  for (const [text, value] of numbers) {
    it(`reads ${JSON.stringify(text)} as ${value}`, () => {
      const scanner = over(text);
      scanner.line();
      expect(scanner.number()).toBe(value);
    });
  }

  it('reads decimals as JavaScript does, whatever they are', () => {
    for (let i = 0; i < 2000; i++) {
      const text = (i * 0.37).toFixed(i % 5);
      const scanner = over(text);
      scanner.line();
      expect(scanner.number()).toBe(Number(text));
    }
  });

  it('reads hexadecimal numbers without a prefix, and nothing else', () => {
    const scanner = new ByteScanner().reset(Buffer.from('0000001f FFFFFFFF 0x1 g -1\n'));
    scanner.line();
    expect([scanner.hex(), scanner.hex()]).toEqual([31, 4_294_967_295]);
    expect([scanner.hex(), scanner.hex(), scanner.hex(), scanner.hex()]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it('ends a word at a delimiter, and not beyond the line', () => {
    const scanner = over('  eth0:12 3\nnone here\na:b\n');
    scanner.line();
    expect(scanner.wordBefore(':')).toBe(true);
    expect(scanner.text()).toBe('eth0');
    expect([scanner.number(), scanner.number(), scanner.number()]).toEqual([12, 3, Number.NaN]);
    scanner.line();
    expect(scanner.wordBefore(':')).toBe(false);
    expect(scanner.rest()).toBe('none here');
  });
});

describe('RowCache', () => {
  it('makes a row once, finds it where it stood, and drops it when a pass lacks it', () => {
    const made: string[] = [];
    const dropped: string[] = [];
    const rows = new RowCache(
      name => {
        made.push(name);
        return { name };
      },
      row => dropped.push(row.name),
    );
    const pass = (text: string): string[] => {
      const scanner = over(text);
      const seen: string[] = [];
      for (let position = 0; scanner.line() && scanner.word(); position++) {
        seen.push(rows.at(position, scanner).name);
      }
      rows.sweep();
      return seen;
    };
    expect(pass('a\nb\nc\n')).toEqual(['a', 'b', 'c']);
    expect(pass('c\na\nb\n')).toEqual(['c', 'a', 'b']);
    expect(made).toEqual(['a', 'b', 'c']);
    expect(pass('a\nc\n')).toEqual(['a', 'c']);
    expect(dropped).toEqual(['b']);
    expect(pass('a\nb\nc\n')).toEqual(['a', 'b', 'c']);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
  });
});
