// Scanners over bytes: the same entries as the parser of texts, and as the other encoding of the same metrics.

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ExpositionParser } from '../../../../src/exposition/parse.ts';
import { parseGoFloat } from '../../../../src/exposition/parse-float.ts';
import { ByteTable } from '../../../../src/exposition/scan/byte-table.ts';
import { scanFloat, scanInteger } from '../../../../src/exposition/scan/number.ts';
import { ProtobufScanner } from '../../../../src/exposition/scan/protobuf-scanner.ts';
import { TextScanner } from '../../../../src/exposition/scan/text-scanner.ts';
import { corpusFolder } from '../../../fakes/corpora.ts';
import { entriesOf, protoFamily } from '../../../fakes/exposition-bodies.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: string): string[] => entriesOf(new TextScanner(bytes(body), 'text'));
const openMetrics = (body: string): string[] =>
  entriesOf(new TextScanner(bytes(body), 'openmetrics'));

describe('text', () => {
  test('is samples and metadata, whatever the blanks', () => {
    const body =
      '# HELP a some\\nhelp \\\\\n# TYPE a counter\n\n# a comment\n\ta  1\na{ b = "x\\"y" , } 2.5e3 1700\n';
    expect(text(body)).toEqual([
      'help a some\nhelp \\',
      'type a counter',
      'a 1',
      'a{b="x\\"y"} 2500 @1700',
    ]);
  });

  test('has names in UTF-8 between quotes', () => {
    expect(text('# TYPE "my.metric" gauge\n{"my.metric","ü"="1"} NaN\n')).toEqual([
      'type my.metric gauge',
      'my.metric{ü="1"} NaN',
    ]);
  });

  test('has bounds in one spelling', () => {
    const body =
      '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\n# TYPE s summary\ns{quantile="0.50"} 1\n# TYPE g gauge\ng{le="1"} 1\n';
    expect(text(body)).toEqual([
      'type h histogram',
      'h_bucket{le="1.0"} 1',
      'h_bucket{le="+Inf"} 1',
      'type s summary',
      's{quantile="0.5"} 1',
      'type g gauge',
      'g{le="1"} 1',
    ]);
  });

  test.each([
    ['a\n', 'line 1: value "" is not a number'],
    ['a 1\nb x\n', 'line 2: value "x" is not a number'],
    ['a 1 1.5\n', 'line 1: timestamp "1.5" is not a whole number of ms'],
    ['a 1 2 3\n', 'line 1: text after the timestamp'],
    ['a 1 # {x="y"} 1\n', 'line 1: text after the timestamp'],
    ['a{b="c" 1\n', 'line 1: a label set without its closing brace'],
    ['a{b="c} 1\n', 'line 1: a quoted string without its closing quote'],
    ['{b="c"} 1\n', 'line 1: a sample without a metric name'],
    ['a{b="c",b="d"} 1\n', 'line 1: label "b" occurs twice'],
    ['# TYPE a thing\n', 'line 1: unknown metric type "thing"'],
  ])('%j is refused', (body, reason) => {
    expect(() => text(body)).toThrow(`parse exposition: ${reason}`);
  });

  test('that is not UTF-8 is refused', () => {
    const body = Uint8Array.of(...bytes('a{b="'), 0xff, ...bytes('"} 1\n'));
    expect(() => entriesOf(new TextScanner(body, 'text'))).toThrow('text that is not UTF-8');
  });
});

describe('OpenMetrics', () => {
  test('has seconds, units and exemplars', () => {
    const body =
      '# TYPE a counter\n# UNIT a_seconds seconds\na_total{x="#"} 1 1.5 # {trace="1"} 0.5 2\n# EOF\n';
    expect(openMetrics(body)).toEqual([
      'type a counter',
      'unit a_seconds seconds',
      'a_total{x="#"} 1 @1500 # {trace="1"} 0.5 2000',
    ]);
  });

  test.each([
    ['a 1\n', 'line 1: the text ends without # EOF'],
    ['a 1\n# EOF\nb 1\n', 'line 3: text after # EOF'],
    ['a_total 1 # 1\n# EOF\n', 'line 1: an exemplar without labels'],
  ])('%j is refused', (body, reason) => {
    expect(() => openMetrics(body)).toThrow(`parse exposition: ${reason}`);
  });
});

describe('protobuf', () => {
  test('has counters, created times, exemplars and times of its own', () => {
    const body = protoFamily('c_total', 0, [
      writer => {
        writer.messageField(1, () => {
          writer.stringField(1, 'a');
          writer.stringField(2, 'b');
        });
        writer.messageField(3, () => {
          writer.doubleField(1, 7);
          writer.messageField(2, () => {
            writer.messageField(1, () => {
              writer.stringField(1, 'trace');
              writer.stringField(2, '1');
            });
            writer.doubleField(2, 0.25);
            writer.messageField(3, () => writer.int64Field(1, 9));
          });
          writer.messageField(3, () => writer.int64Field(1, 5));
        });
        writer.int64Field(6, 1500);
      },
    ]);
    const scanner = new ProtobufScanner(body, { native: true, classicToo: false });
    expect(entriesOf(scanner)).toEqual([
      'type c_total counter',
      'c_total{a="b"} 7 @1500 # {trace="1"} 0.25 9000',
    ]);
    const again = new ProtobufScanner(body, { native: true, classicToo: false });
    expect([again.next(), again.next(), again.created]).toEqual(['type', 'sample', 5000]);
  });

  const both = protoFamily('h', 4, [
    writer => {
      writer.messageField(7, () => {
        writer.varintField(1, 3);
        writer.doubleField(2, 4.5);
        writer.messageField(3, () => {
          writer.varintField(1, 2);
          writer.doubleField(2, 1);
        });
        writer.varintField(5, 2);
        writer.doubleField(6, 1e-9);
        writer.messageField(12, () => {
          writer.varintField(1, 0);
          writer.varintField(2, 2);
        });
        writer.varintField(13, 4);
        writer.varintField(13, 1);
      });
    },
  ]);

  test.each([
    ['native alone', true, false, ['h schema 1 count 3 [2,1]']],
    [
      'both',
      true,
      true,
      [
        'h_bucket{le="1.0"} 2',
        'h_bucket{le="+Inf"} 3',
        'h_count 3',
        'h_sum 4.5',
        'h schema 1 count 3 [2,1]',
      ],
    ],
    [
      'classic alone',
      false,
      false,
      ['h_bucket{le="1.0"} 2', 'h_bucket{le="+Inf"} 3', 'h_count 3', 'h_sum 4.5'],
    ],
  ])('has histograms: %s', (_name, native, classicToo, expected) => {
    const found = entriesOf(new ProtobufScanner(both, { native, classicToo }));
    expect(found).toEqual(['type h histogram', ...expected]);
  });

  test('cut short anywhere is refused or ends between families', () => {
    for (let length = 1; length < both.length; length++) {
      const scan = (): unknown =>
        entriesOf(
          new ProtobufScanner(both.subarray(0, length), { native: true, classicToo: true }),
        );
      expect(scan, `${length} bytes`).toThrow('parse exposition: ');
    }
  });

  test('has different keys for different series', () => {
    const scanner = new ProtobufScanner(both, { native: true, classicToo: true });
    const table = new ByteTable(7);
    for (let kind = scanner.next(); kind !== 'end'; kind = scanner.next()) {
      const { keyBytes, keyStart, keyEnd } = scanner;
      expect(table.slotOf(keyBytes, keyStart, keyEnd)).toBe(-1);
      table.add(keyBytes, keyStart, keyEnd);
    }
    expect(table.size).toBe(6);
  });
});

describe('numbers', () => {
  test.each([
    ...['0', '-0', '1', '+1', '12345678901234567890', '0.1', '.5', '5.', '1e3', '1E-3', '1e400'],
    ...['-1.7976931348623157e308', '4.9e-324', 'Inf', '-inf', '+Infinity', 'NaN', 'nan', '-nan'],
    ...['', '-', '.', 'e5', '1e', '1e+', '1_000', '0x1p4', '0x1', '1..2', '1.2.3', ' 1', '1e99999'],
    ...['123456789012345', '1234567890123456', '9007199254740993', '0.000001', '1e22', '1e23'],
  ])('%j is what the parser of texts makes of it', token => {
    const padded = bytes(`x${token}y`);
    const found = scanFloat(padded, 1, padded.length - 1);
    expect(Object.is(found, parseGoFloat(token))).toBe(true);
  });

  test('of ms are whole', () => {
    const read = (token: string): number | null => scanInteger(bytes(token), 0, token.length);
    expect(['12', '-3', '1.5', '', '-', '1x'].map(read)).toEqual([12, -3, null, null, null, null]);
  });
});

describe('a table of bytes', () => {
  test('finds what it has, in any order', () => {
    const table = new ByteTable(1);
    const names = Array.from({ length: 1000 }, (_, i) => bytes(`series_${i}`));
    for (const name of names) expect(table.slotOf(name, 0, name.length)).toBe(-1);
    for (const [i, name] of names.entries()) expect(table.add(name, 0, name.length)).toBe(i);
    for (let i = 999; i >= 0; i--) expect(table.slotOf(names[i]!, 0, names[i]!.length)).toBe(i);
    table.rewind();
    for (let i = 0; i < 1000; i++) expect(table.slotOf(names[i]!, 0, names[i]!.length)).toBe(i);
    expect(Buffer.from(table.bytesOf(7)).toString()).toBe('series_7');
  });
});

const texts = corpusFolder('exposition-text');
describe.skipIf(texts === null)('recorded bodies (skipped without ../shared/corpora)', () => {
  test.each([
    ['alltypes.237mfs.prom.txt', 'text', 1857],
    ['alltypes.237mfs.nometa.prom.txt', 'text', 1857],
    ['alltypes.5mfs.om.txt', 'openmetrics', 53],
    ['1histogram.om.txt', 'openmetrics', 42],
  ] as const)('%s has the same samples for both readers', (file, format, count) => {
    const body = readFileSync(`${texts}${file}`);
    const scanner = new TextScanner(body, format);
    const parser = new ExpositionParser(body.toString('utf8'), format);
    let samples = 0;
    for (let kind = scanner.next(); kind !== 'end'; kind = scanner.next()) {
      if (kind !== 'sample') continue;
      let other = parser.next();
      while (other !== 'sample' && other !== 'end') other = parser.next();
      const key = Buffer.from(scanner.keyBytes.subarray(scanner.keyStart, scanner.keyEnd));
      expect([key.toString(), scanner.value[0]]).toEqual([parser.series, parser.value]);
      expect(scanner.hasExemplars).toBe(parser.hasExemplar);
      scanner.labels();
      samples++;
    }
    expect(samples).toBe(count);
  });
});

const encoded = corpusFolder('exposition-expfmt');
describe.skipIf(encoded === null)('twins (skipped without ../shared/corpora)', () => {
  const read = (file: string): Buffer => readFileSync(`${encoded}testdata/${file}`);
  const choice = { native: true, classicToo: true };
  // Text has no order of samples within a family that protobuf would share.
  const sorted = (entries: string[]): string[] => entries.sort();

  test('text and protobuf say the same', () => {
    const found = sorted(entriesOf(new ProtobufScanner(read('protobuf'), choice)));
    expect(found.length).toBeGreaterThan(248);
    expect(found).toEqual(sorted(entriesOf(new TextScanner(read('text'), 'text'))));
  });

  test('packed twins are the same bodies', () => {
    expect(gunzipSync(read('protobuf.gz')).equals(read('protobuf'))).toBe(true);
    expect(gunzipSync(read('text.gz')).equals(read('text'))).toBe(true);
  });

  test('several messages are read one after another', () => {
    const found = entriesOf(new ProtobufScanner(read('protobuf-multimessage'), choice));
    expect(found.filter(entry => entry.startsWith('type '))).toHaveLength(6);
  });

  test('what the strict reader takes is taken', () => {
    const names = readdirSync(`${encoded}fuzz-corpus`);
    const good = names.filter(name => !name.includes('error'));
    expect(good).toHaveLength(6);
    for (const name of good) {
      const body = readFileSync(`${encoded}fuzz-corpus/${name}`);
      expect(() => entriesOf(new TextScanner(body, 'text')), name).not.toThrow();
    }
  });
});

const cases = corpusFolder('openmetrics-parsers');
test.skipIf(cases === null)('the 44 good cases of OpenMetrics are taken', () => {
  const good = readdirSync(cases!, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('bad_'))
    .map(({ name }) => name);
  expect(good).toHaveLength(44);
  for (const name of good) {
    const body = readFileSync(`${cases}${name}/metrics`);
    expect(() => entriesOf(new TextScanner(body, 'openmetrics')), name).not.toThrow();
  }
});
