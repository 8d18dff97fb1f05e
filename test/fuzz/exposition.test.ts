// Whatever is written is read back the same, in both formats; whatever is read, nothing but a refusal
// with its line comes out of damaged text.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Dialect, writeFamilies } from '../../src/exposition/dialect.ts';
import { openMetricsDialect } from '../../src/exposition/openmetrics.ts';
import { ExpositionParser } from '../../src/exposition/parse.ts';
import { textDialect } from '../../src/exposition/text.ts';
import { Labels } from '../../src/labels/labels.ts';
import type { MetricFamily } from '../../src/telemetry/metrics.ts';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const value = fc.oneof(fc.double(), fc.integer());
const labels = fc
  .dictionary(name, fc.string({ unit: 'grapheme', minLength: 1 }), { maxKeys: 4 })
  .map(object => Labels.fromObject(object).without(['__name__', 'le', 'quantile']));
const family: fc.Arbitrary<MetricFamily> = fc.record({
  name,
  help: fc.string({ unit: 'grapheme' }),
  type: fc.constantFrom('gauge' as const, 'unknown' as const),
  samples: fc.array(
    fc.oneof(
      fc.record({ suffix: fc.constant(''), labels, value }),
      fc.record({
        suffix: fc.constant(''),
        labels,
        value,
        time: fc.integer({ min: 0, max: 4e12 }),
      }),
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

function read(text: string, format: 'text' | 'openmetrics'): [string, number, number | null][] {
  const parser = new ExpositionParser(text, format);
  const found: [string, number, number | null][] = [];
  for (let kind = parser.next(); kind !== 'end'; kind = parser.next()) {
    if (kind === 'sample') found.push([parser.labels().key, parser.value, parser.time]);
  }
  return found;
}

test.each([
  ['text', textDialect('allow-utf-8')],
  ['openmetrics', openMetricsDialect('allow-utf-8')],
] as const)('%s is read back as it was written', (format, dialect: Dialect) => {
  fc.assert(
    fc.property(fc.array(family, { maxLength: 5 }), families => {
      const written = families.flatMap(f =>
        f.samples.map(s => [
          s.labels.with('__name__', f.name).key,
          // Text has one zero.
          s.value === 0 ? 0 : s.value,
          s.time ?? null,
        ]),
      );
      expect(read(writeFamilies(families, dialect), format)).toEqual(written);
    }),
    { numRuns: 300 },
  );
});

test('damaged text is refused with a line, or read', () => {
  const whole = `# HELP a A.\n# TYPE a counter\na_total{b="c\\"d",e="f"} 1.5e3 12.5 # {t="x"} 1 2\n{"u.v","w x"="y"} NaN\n# EOF\n`;
  const edits = fc.array(
    fc.tuple(fc.nat(whole.length - 1), fc.constantFrom(...' {}",=#\\\n\t0x')),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  fc.assert(
    fc.property(
      edits,
      fc.constantFrom('text' as const, 'openmetrics' as const),
      (changes, format) => {
        let text = whole;
        for (const [at, char] of changes) text = text.slice(0, at) + char + text.slice(at + 1);
        try {
          read(text, format);
        } catch (error) {
          expect(String(error)).toMatch(/^OutpostError: parse exposition: line \d+: /);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
