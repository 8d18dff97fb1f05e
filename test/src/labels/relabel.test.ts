import { describe, expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import {
  compileRelabel,
  RELABEL_DEFAULTS,
  type RelabelRule,
  relabelProblem,
  relabelSteps,
} from '../../../src/labels/relabel.ts';

const rule = (changes: Partial<RelabelRule>): RelabelRule => ({ ...RELABEL_DEFAULTS, ...changes });

function relabel(labels: Record<string, string>, ...rules: Partial<RelabelRule>[]) {
  return compileRelabel(rules.map(rule))(Labels.fromObject(labels))?.toObject() ?? null;
}

describe('relabelling', () => {
  test.each<[string, Partial<RelabelRule>, Record<string, string> | null]>([
    [
      'replace writes what was captured',
      { sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'd', replacement: 'ch$1-ch$1' },
      { a: 'foo', b: 'bar', c: 'baz', d: 'choo-choo' },
    ],
    [
      'replace joins its sources',
      {
        sourceLabels: ['a', 'b'],
        regex: 'f(.*);(.*)r',
        targetLabel: 'a',
        replacement: 'b${1}${2}m',
      },
      { a: 'boobam', b: 'bar', c: 'baz' },
    ],
    [
      'replace without a match changes nothing',
      { sourceLabels: ['a'], regex: 'x(.*)', targetLabel: 'd', replacement: 'y' },
      { a: 'foo', b: 'bar', c: 'baz' },
    ],
    [
      'replace by nothing removes the label',
      { sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'b', replacement: '' },
      { a: 'foo', c: 'baz' },
    ],
    [
      'replace takes its target from what was captured',
      { sourceLabels: ['a'], regex: '(?P<x>.*)', targetLabel: '${x}_n', replacement: 'y' },
      { a: 'foo', b: 'bar', c: 'baz', foo_n: 'y' },
    ],
    [
      'replace into no name changes nothing',
      { sourceLabels: ['a'], regex: 'f(x?).*', targetLabel: '${1}', replacement: 'y' },
      { a: 'foo', b: 'bar', c: 'baz' },
    ],
    ['drop drops what matches', { action: 'drop', sourceLabels: ['a'], regex: '.*o.*' }, null],
    [
      'drop matches the whole text',
      { action: 'drop', sourceLabels: ['a'], regex: 'f|o' },
      { a: 'foo', b: 'bar', c: 'baz' },
    ],
    ['keep drops what does not match', { action: 'keep', sourceLabels: ['a'], regex: 'no' }, null],
    [
      'keep keeps what matches',
      { action: 'keep', sourceLabels: ['a'], regex: 'fo+' },
      { a: 'foo', b: 'bar', c: 'baz' },
    ],
    [
      'hashmod is what Prometheus makes of it',
      { action: 'hashmod', sourceLabels: ['c'], targetLabel: 'd', modulus: 1000 },
      { a: 'foo', b: 'bar', c: 'baz', d: '976' },
    ],
    [
      'labelmap copies under new names',
      { action: 'labelmap', regex: '(b|c)', replacement: 'bar_${1}' },
      { a: 'foo', b: 'bar', c: 'baz', bar_b: 'bar', bar_c: 'baz' },
    ],
    ['labeldrop drops by name', { action: 'labeldrop', regex: '(b.*|c)' }, { a: 'foo' }],
    ['labelkeep keeps by name', { action: 'labelkeep', regex: '(b.*|c)' }, { b: 'bar', c: 'baz' }],
    [
      'lowercase and uppercase change letters',
      { action: 'uppercase', sourceLabels: ['a'], targetLabel: 'a' },
      { a: 'FOO', b: 'bar', c: 'baz' },
    ],
    [
      'keepequal drops what differs',
      { action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' },
      null,
    ],
    [
      'dropequal keeps what differs',
      { action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' },
      { a: 'foo', b: 'bar', c: 'baz' },
    ],
  ])('%s', (_name, one, expected) => {
    expect(relabel({ a: 'foo', b: 'bar', c: 'baz' }, one)).toEqual(expected);
  });

  test('goes on with what the rule before has made', () => {
    const rules = [
      { sourceLabels: ['a'], targetLabel: 'b', regex: '(.*)', replacement: '${1}x' },
      { action: 'keep' as const, sourceLabels: ['b'], regex: '1x' },
      { action: 'labeldrop' as const, regex: 'a' },
    ];
    expect(relabel({ a: '1' }, ...rules)).toEqual({ b: '1x' });
    const steps = relabelSteps(rules.map(rule), Labels.fromObject({ a: '2' }));
    expect(steps.map(({ labels }) => labels?.toObject() ?? null)).toEqual([
      { a: '2', b: '2x' },
      null,
    ]);
  });

  test.each<[Partial<RelabelRule>, string | null]>([
    [{ targetLabel: 'a' }, null],
    [{}, 'target_label'],
    [{ action: 'hashmod', targetLabel: 'a' }, 'modulus'],
    [{ action: 'hashmod', modulus: 2 }, 'target_label'],
    [{ action: 'lowercase', targetLabel: '${1}' }, 'target_label'],
    [{ action: 'uppercase', targetLabel: 'a', replacement: 'x' }, 'replacement'],
    [{ action: 'labeldrop', regex: 'a', sourceLabels: ['b'] }, 'source_labels'],
    [{ action: 'keepequal', targetLabel: 'a', regex: 'b' }, 'regex'],
    [{ action: 'labelkeep', regex: 'a' }, null],
  ])('%j is wrong in %s', (one, field) => {
    expect(relabelProblem(rule(one))?.field ?? null).toBe(field);
  });
});
