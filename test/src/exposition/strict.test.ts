// The strict readers against the cases of those who wrote the formats.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openMetricsProblem } from '../../../src/exposition/strict/openmetrics.ts';
import { textProblem } from '../../../src/exposition/strict/text.ts';
import { corpusFolder } from '../../fakes/corpora.ts';

const cases = corpusFolder('openmetrics-parsers');
describe.skipIf(cases === null)('OpenMetrics 1.0 (skipped without ../shared/corpora)', () => {
  const names = readdirSync(cases ?? '.', { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name);

  test('has 211 cases', () => {
    expect(names).toHaveLength(211);
  });

  test.each(names)('%s', name => {
    const { shouldParse } = JSON.parse(readFileSync(`${cases}${name}/test.json`, 'utf8'));
    const problem = openMetricsProblem(readFileSync(`${cases}${name}/metrics`, 'utf8'));
    if (shouldParse) expect(problem).toBeNull();
    else expect(problem).not.toBeNull();
  });
});

const texts = corpusFolder('exposition-expfmt');
describe.skipIf(texts === null)('text 0.0.4 (skipped without ../shared/corpora)', () => {
  test.each(readdirSync(texts ? `${texts}fuzz-corpus` : '.'))('%s', name => {
    const problem = textProblem(readFileSync(`${texts}fuzz-corpus/${name}`, 'utf8'));
    if (name.includes('error')) expect(problem).not.toBeNull();
    else expect(problem).toBeNull();
  });
});

describe('what is wrong is told with its line', () => {
  test.each([
    ['a 1\n', 1, 'the text ends without # EOF'],
    ['# TYPE a counter\na_total -1\n# EOF\n', 2, 'a count or sum is below 0'],
    [
      '# TYPE a histogram\na_bucket{le="1.0"} 1\n# EOF\n',
      3,
      'the bucket with le="+Inf" is missing',
    ],
    [
      'a{x="1"} 1\na{x="2"} 1\na{x="1"} 1\n# EOF\n',
      3,
      'samples of one metric do not stand together',
    ],
  ])('OpenMetrics %j', (text, line, message) => {
    expect(openMetricsProblem(text)).toEqual({ line, message });
  });

  test.each([
    ['a 1', 1, 'the last line does not end with a newline'],
    ['a 1\n# TYPE a gauge\n', 2, '# TYPE after the samples of a'],
    ['a x\n', 1, 'value "x" is not a number'],
  ])('text %j', (text, line, message) => {
    expect(textProblem(text)).toEqual({ line, message });
  });
});
