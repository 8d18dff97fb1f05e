import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ExpositionParser } from '../../../src/exposition/parse.ts';
import { parseGoFloat } from '../../../src/exposition/parse-float.ts';
import { corpusFolder } from '../../fakes/corpora.ts';

interface Counts {
  samples: number;
  types: number;
  helps: number;
  units: number;
  exemplars: number;
}

function count(text: string, format: 'text' | 'openmetrics'): Counts {
  const parser = new ExpositionParser(text, format);
  const counts: Counts = { samples: 0, types: 0, helps: 0, units: 0, exemplars: 0 };
  for (let kind = parser.next(); kind !== 'end'; kind = parser.next()) {
    if (kind === 'type') counts.types++;
    else if (kind === 'help') counts.helps++;
    else if (kind === 'unit') counts.units++;
    else if (kind === 'sample') {
      counts.samples++;
      parser.labels();
      if (parser.exemplar()) counts.exemplars++;
    }
  }
  return counts;
}

function samples(text: string, format: 'text' | 'openmetrics' = 'text'): unknown[] {
  const parser = new ExpositionParser(text, format);
  const found: unknown[] = [];
  for (let kind = parser.next(); kind !== 'end'; kind = parser.next()) {
    if (kind === 'sample') found.push([parser.labels().toObject(), parser.value, parser.time]);
  }
  return found;
}

test('samples come with labels, value and time', () => {
  const text = `# HELP a An \\\\ a\\n.
# TYPE a counter
a{x="1", y = "q\\"\\\\\\n" ,} 1e3 1395066363000
  a   NaN
{"my.metric","a.b"="v"} -Inf -5
# just a comment
b{} 0x1p4`;
  expect(samples(text)).toEqual([
    [{ __name__: 'a', x: '1', y: 'q"\\\n' }, 1000, 1_395_066_363_000],
    [{ __name__: 'a' }, Number.NaN, null],
    [{ __name__: 'my.metric', 'a.b': 'v' }, Number.NEGATIVE_INFINITY, -5],
    [{ __name__: 'b' }, 16, null],
  ]);
});

test('metadata is read with its escapes', () => {
  const parser = new ExpositionParser('# HELP a b \\\\ \\n "c\n# TYPE "x.y" untyped\n', 'text');
  expect([parser.next(), parser.name, parser.text]).toEqual(['help', 'a', 'b \\ \n "c']);
  expect([parser.next(), parser.name, parser.type]).toEqual(['type', 'x.y', 'unknown']);
  expect(parser.next()).toBe('end');
});

test('OpenMetrics adds units, exemplars and times in seconds', () => {
  const text = `# TYPE a counter
# UNIT a seconds
a_total{x="#{"} 1.0 12.5 # {trace="a}b"} 0.5 11.25
# EOF
`;
  const parser = new ExpositionParser(text, 'openmetrics');
  parser.next();
  expect([parser.next(), parser.name, parser.text]).toEqual(['unit', 'a', 'seconds']);
  expect([parser.next(), parser.series, parser.time]).toEqual([
    'sample',
    'a_total{x="#{"}',
    12_500,
  ]);
  const exemplar = parser.exemplar();
  expect(exemplar?.labels.toObject()).toEqual({ trace: 'a}b' });
  expect([exemplar?.value, exemplar?.time]).toEqual([0.5, 11_250]);
});

describe('errors name their line', () => {
  test.each(
    [
      ['a 1\nb x', 'line 2: value "x" is not a number'],
      ['a', 'line 1: value "" is not a number'],
      ['a{b="c" 1', 'line 1: a label set without its closing brace'],
      ['a{b="c} 1', 'line 1: a quoted string without its closing quote'],
      ['a{b=c} 1', 'line 1: the value of label "b" is not in quotes'],
      ['a{b="c",b="d"} 1', 'line 1: label "b" occurs twice'],
      ['a{b.c="c"} 1', 'line 1: label name "b.c" is not valid without quotes'],
      ['a{b="c"d="e"} 1', 'line 1: a comma or brace is missing after label "b"'],
      ['a-b 1', 'line 1: metric name "a-b" is not valid without quotes'],
      ['{b="c"} 1', 'line 1: a sample without a metric name'],
      ['a 1 2 3', 'line 1: text after the timestamp'],
      ['a 1 1.5', 'line 1: timestamp "1.5" is not a whole number of ms'],
      ['a 1_000', 'line 1: value "1_000" is not a number'],
      ['# TYPE a nonsense', 'line 1: unknown metric type "nonsense"'],
      ['# HELP', 'line 1: # HELP without a metric name'],
    ].slice(0, -1),
  )('%j', (text, message) => {
    expect(() => samples(text!)).toThrow(`parse exposition: ${message}`);
  });

  test('OpenMetrics needs its end mark and nothing after it', () => {
    expect(() => samples('a 1\n', 'openmetrics')).toThrow('ends without # EOF');
    expect(() => samples('a 1\n# EOF\na 2\n', 'openmetrics')).toThrow('line 3: text after # EOF');
  });
});

test('numbers are those of Go', () => {
  const accepted: [string, number][] = [
    ['1', 1],
    ['+1.5e3', 1500],
    ['.5', 0.5],
    ['5.', 5],
    ['Inf', Number.POSITIVE_INFINITY],
    ['-infinity', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['0x1.8p1', 3],
    ['-0X.8P+1', -1],
    ['00012', 12],
    ['12345678901234567890', 12345678901234567000],
  ];
  for (const [token, value] of accepted) expect(parseGoFloat(token), token).toBe(value);
  for (const token of [
    '',
    ' ',
    '1_0',
    '0x1',
    '0xp1',
    '1e',
    'e1',
    '1e999',
    '+nan',
    'infi',
    '1,5',
    '--1',
  ]) {
    expect(parseGoFloat(token), token).toBeNull();
  }
});

const texts = corpusFolder('exposition-text');
describe.skipIf(texts === null)(
  texts ? 'texts of real exporters' : 'corpus exposition-text is absent',
  () => {
    test.each([
      [
        'alltypes.237mfs.prom.txt',
        'text',
        { samples: 1857, types: 237, helps: 237, units: 0, exemplars: 0 },
      ],
      [
        'alltypes.237mfs.nometa.prom.txt',
        'text',
        { samples: 1857, types: 0, helps: 0, units: 0, exemplars: 0 },
      ],
      [
        'alltypes.5mfs.om.txt',
        'openmetrics',
        { samples: 53, types: 5, helps: 5, units: 0, exemplars: 6 },
      ],
    ] as const)('%s', (file, format, expected) => {
      expect(count(readFileSync(join(texts!, file), 'utf8'), format)).toEqual(expected);
    });
  },
);

const cases = corpusFolder('openmetrics-parsers');
describe.skipIf(cases === null)(
  cases ? 'OpenMetrics cases' : 'corpus openmetrics-parsers is absent',
  () => {
    test('every good text is read', () => {
      const good = readdirSync(cases!).filter(
        name => name !== 'README.md' && !name.startsWith('bad_'),
      );
      expect(good.length).toBe(44);
      for (const name of good) {
        const text = readFileSync(join(cases!, name, 'metrics'), 'utf8');
        expect(() => count(text, 'openmetrics'), name).not.toThrow();
      }
    });

    test('no bad text does worse than being refused with a line number', () => {
      for (const name of readdirSync(cases!).filter(n => n.startsWith('bad_'))) {
        const text = readFileSync(join(cases!, name, 'metrics'), 'utf8');
        try {
          count(text, 'openmetrics');
        } catch (error) {
          expect(String(error), name).toMatch(/^OutpostError: parse exposition: line \d+: /);
        }
      }
    });
  },
);
