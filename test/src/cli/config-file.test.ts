// Mistakes in a configuration file are answered with line, column and the mend.

import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/cli/config-file.ts';

const closed = { additionalProperties: false };
const schema = Type.Object(
  {
    global: Type.Optional(
      Type.Object(
        {
          collect_interval: Type.Optional(Type.String()),
          external_labels: Type.Optional(Type.Record(Type.String(), Type.String())),
        },
        closed,
      ),
    ),
    endpoints: Type.Optional(Type.Array(Type.String())),
  },
  closed,
);
const parse = (text: string): unknown => parseConfig(text, 'x.yml', schema);

describe('parseConfig', () => {
  it('accepts what the schema describes, and an empty file', () => {
    expect(parse('global:\n  collect_interval: 5s\nendpoints: [a]\n')).toEqual({
      global: { collect_interval: '5s' },
      endpoints: ['a'],
    });
    expect(parse('')).toEqual({});
  });

  it('takes a section whose keys are all commented out for an empty one', () => {
    expect(parse('global:\n  # collect_interval: 5s\nendpoints:\n')).toEqual({
      global: {},
      endpoints: [],
    });
  });

  it.each([
    [
      'global:\n  colect_interval: 5s\n',
      'x.yml:2:3: unknown key "global.colect_interval"; did you mean "collect_interval"?',
    ],
    ['globe: {}\n', 'x.yml:1:1: unknown key "globe"; did you mean "global"?'],
    ['frobnicate: 1\n', 'x.yml:1:1: unknown key "frobnicate"; known keys are global, endpoints'],
    ['endpoints:\n  - a\n  - 7\n', 'x.yml:3:5: "endpoints.1" is 7; expected a text'],
    ['global: [1]\n', 'x.yml:1:1: "global" is [ 1 ]; expected keys with values'],
    ['endpoints: &a {b: *a}\n', 'x.yml:1:1: "endpoints" is'],
    ['- a\n', "x.yml:1:1: the file is [ 'a' ]; expected keys with values"],
    ['---\n{}\n---\n{}\n', 'x.yml:3:1: a second document begins here; one file holds one'],
    [
      'a: [1\n',
      'x.yml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['endpoints: []\nendpoints: []\n', 'x.yml:2:1: Map keys must be unique'],
  ])('explains %j', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('tells every mistake in the order of the file, and no more than eight', () => {
    expect(() => parse('endpoints: [7]\nglobal:\n  external_labels: {b: 1, a: x}\n')).toThrow(
      'x.yml:1:13: "endpoints.0" is 7; expected a text\n' +
        'x.yml:3:21: "global.external_labels.b" is 1; expected a text',
    );
    const numbers = Array.from({ length: 25 }, () => '  - 1\n').join('');
    expect(() => parse(`endpoints:\n${numbers}`)).toThrow(/x\.yml:9:5: .*$/);
  });
});
