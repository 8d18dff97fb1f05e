import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeName, unescapeName } from '../../../src/exposition/escaping.ts';

// name, underscores, dots, values
const TABLE: [string, string, string, string][] = [
  ['no:escaping_required', 'no:escaping_required', 'no:escaping__required', 'no:escaping_required'],
  [
    'mysystem.prod.west.cpu.load',
    'mysystem_prod_west_cpu_load',
    'mysystem_dot_prod_dot_west_dot_cpu_dot_load',
    'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load',
  ],
  [
    'mysystem.prod.west.cpu.load_total',
    'mysystem_prod_west_cpu_load_total',
    'mysystem_dot_prod_dot_west_dot_cpu_dot_load__total',
    'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total',
  ],
  ['http.status:sum', 'http_status:sum', 'http_dot_status:sum', 'U__http_2e_status:sum'],
  ['label with 😱', 'label_with__', 'label__with____', 'U__label_20_with_20__1f631_'],
  ['花火', '__', '____', 'U___82b1__706b_'],
  ['0zero', '_zero', '__zero', 'U___30_zero'],
];

test.each(TABLE)('%s is escaped under every scheme', (name, underscores, dots, values) => {
  expect(escapeName(name, 'underscores')).toBe(underscores);
  expect(escapeName(name, 'dots')).toBe(dots);
  expect(escapeName(name, 'values')).toBe(values);
  expect(escapeName(name, 'allow-utf-8')).toBe(name);
});

test('every name survives the values scheme', () => {
  const names = fc.string({ unit: 'grapheme', minLength: 1 }).filter(n => !n.startsWith('U__'));
  fc.assert(fc.property(names, name => unescapeName(escapeName(name, 'values')) === name));
});

test('what is not a well-formed escape is taken as it stands', () => {
  for (const name of [
    'U__bad_z_',
    'U__bad_2e',
    'U__bad_',
    'U__bad_d900_',
    'U__x_110000_',
    'plain_2e_',
  ]) {
    expect(unescapeName(name)).toBe(name);
  }
});
