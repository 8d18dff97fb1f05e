// Rule files: what is read, and what is said about mistakes and where.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type AlertingRule,
  parseRuleFile,
  type RecordingRule,
} from '../../../src/rules/rule-file.ts';
import { corpusFolder } from '../../fakes/corpora.ts';

/** The lines of the error for a text. */
function mistakes(text: string): string[] {
  try {
    parseRuleFile(text, 'r.yaml');
  } catch (error) {
    expect(error).toMatchObject({ name: 'OutpostError', code: 'bad-data' });
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('a rule file', () => {
  it('holds groups with their settings and rules', () => {
    const [group, other] = parseRuleFile(
      `groups:
  - name: g
    interval: 30s
    query_offset: 1m
    limit: 5
    labels: { team: a, tier: group }
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: { tier: rule }
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 10m
        labels: { severity: page }
        annotations: { summary: '{{ $labels.job }} is down' }
  - name: empty
`,
      'r.yaml',
    );
    expect(group).toMatchObject({ name: 'g', intervalMs: 30_000, queryOffsetMs: 60_000, limit: 5 });
    const [record, alert] = group!.rules as [RecordingRule, AlertingRule];
    expect(record).toMatchObject({ kind: 'record', record: 'job:up:sum', place: { line: 8 } });
    expect(record.expr).toBe('sum by (job) (up)');
    expect([...record.labels]).toEqual([
      ['team', 'a'],
      ['tier', 'rule'],
    ]);
    expect(alert).toMatchObject({ kind: 'alert', alert: 'Down', forMs: 300_000 });
    expect(alert.keepFiringForMs).toBe(600_000);
    expect(alert.annotations.get('summary')).toBe('{{ $labels.job }} is down');
    expect(other).toMatchObject({
      name: 'empty',
      intervalMs: null,
      queryOffsetMs: null,
      rules: [],
    });
  });

  it('may be empty', () => {
    expect(parseRuleFile('', 'r.yaml')).toEqual([]);
    expect(parseRuleFile('# nothing\n', 'r.yaml')).toEqual([]);
    expect(parseRuleFile('groups:\n', 'r.yaml')).toEqual([]);
  });

  it('may take a number for a text and repeat itself with anchors', () => {
    const [group] = parseRuleFile(
      `groups:
  - name: 1
    rules:
      - &base
        record: a
        expr: &one 1
        labels: { version: 010 }
      - { <<: *base, record: b }
      - { record: c, expr: *one }
`,
      'r.yaml',
    );
    expect(group!.name).toBe('1');
    const rules = group!.rules as RecordingRule[];
    expect(rules.map(rule => [rule.record, rule.expr, rule.labels.get('version')])).toEqual([
      ['a', '1', '010'],
      ['b', '1', '010'],
      ['c', '1', undefined],
    ]);
  });

  it('has every mistake named with its line and column', () => {
    const text = `groups:
  - name: g
    interval: soon
    colour: red
    rules:
      - record: a
        alert: b
        expr: 1
      - expr: up
      - record: c
      - record: d{x="1"}
        expr: 1
        for: 1m
      - record: e
        expr: rate(up)
        labels: { __name__: f }
      - just text
  - name: g
    limit: many
    rules: none
  - rules: []
`;
    expect(mistakes(text)).toEqual([
      'r.yaml:4:5: unknown key "colour"; known keys are name, interval, query_offset, limit, labels, rules',
      'r.yaml:7:16: a rule is either a record or an alert, not both',
      'r.yaml:9:9: a rule needs "record" or "alert" with a name',
      'r.yaml:10:9: a rule needs an expression: "expr"',
      'r.yaml:13:14: "for" belongs to alerts, not to recording rules',
      'r.yaml:11:17: braces in the name d{x="1"}: write labels under "labels"',
      'r.yaml:15:20: parse error: expected type range vector in call to function "rate", got instant vector',
      'r.yaml:16:19: label "__name__" cannot be set; it is the rule’s name',
      'r.yaml:17:9: a rule is a text; expected keys with values',
      'r.yaml:3:15: "soon" is no duration such as 30s, 5m or 1h30m',
      'r.yaml:20:12: "rules" is a text; expected a list',
      'r.yaml:19:12: "many" is no whole number',
      'r.yaml:18:11: group "g" occurs twice in this file',
      'r.yaml:21:5: a group needs a name',
    ]);
  });

  it('has mistakes in expressions of several lines at their own place', () => {
    const text = `groups:
  - name: g
    rules:
      - record: literal
        expr: |
          sum(up)
            + rate(up)
      - record: folded
        expr: >
          sum(up) +
          rate(up)
      - record: quoted
        expr: "1 + rate(up)"
`;
    expect(mistakes(text).map(line => line.split(': ')[0])).toEqual([
      'r.yaml:7:20',
      'r.yaml:9:15',
      'r.yaml:13:25',
    ]);
  });

  it('is refused where it is no YAML, or more than one', () => {
    expect(mistakes('groups: [')[0]).toMatch(/^r\.yaml:1:10: Flow sequence/);
    expect(mistakes('groups: []\n---\ngroups: []\n')).toEqual([
      'r.yaml:2:1: a second document begins here; one file holds one',
    ]);
    expect(mistakes('groups: *none')[0]).toMatch(/^r\.yaml:1:9: /);
    expect(mistakes('- a\n')).toEqual([
      'r.yaml:1:1: the file is a list; expected keys with values',
    ]);
    expect(mistakes('group: []\n')).toEqual([
      'r.yaml:1:1: unknown key "group"; known keys are groups',
    ]);
  });

  it('cannot grow without end', () => {
    const lines = [
      'groups:',
      '  - name: g',
      '    rules:',
      '      - &a0 [x, x, x, x, x, x, x, x, x, x]',
    ];
    for (let i = 1; i < 10; i++) {
      lines.push(
        `      - &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    }
    expect(mistakes(lines.join('\n'))[0]).toContain('more than 1000000 values');
    expect(mistakes(`groups: ${'['.repeat(100)}${']'.repeat(100)}`)[0]).toContain('nested deeper');
    expect(mistakes('groups: &a [*a]')[0]).toContain('nested deeper');
  });

  it('tells twenty mistakes and how many more there are', () => {
    const rules = Array(30).fill('      - record: a').join('\n');
    const told = mistakes(`groups:\n  - name: g\n    rules:\n${rules}\n`);
    expect([told.length, told.at(-1)]).toEqual([21, '… and 10 more']);
  });
});

const CORPORA = ['rulefmt', 'rules-fixtures'] as const;
const folders = CORPORA.map(corpusFolder);
const present = folders.every(folder => folder !== null);
const why = present ? '' : ' (skipped: the rule corpora are not on this machine)';

describe.skipIf(!present)(`rule files of others${why}`, () => {
  const files = folders.flatMap(folder =>
    folder
      ? readdirSync(folder)
          .filter(name => /ya?ml$/.test(name))
          .map(name => join(folder, name))
      : [],
  );
  // Names are UTF-8 here, so what only the older rules of names refuse is taken.
  const bad = files.filter(file => /\.bad\.|invalid_rules/.test(file) && !/legacy/.test(file));

  it.each(bad)('%s is refused with its place', file => {
    expect(() => parseRuleFile(readFileSync(file, 'utf8'), 'r')).toThrow(/^r:\d+:\d+: /);
  });

  it.each(files.filter(file => !bad.includes(file)))('%s is read', file => {
    const groups = parseRuleFile(readFileSync(file, 'utf8'), 'r');
    expect(groups.flatMap(group => group.rules).length).toBeGreaterThan(0);
  });
});
