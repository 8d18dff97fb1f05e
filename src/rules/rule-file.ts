// Rule files as Prometheus has them (model/rulefmt): groups of recording and alerting rules. Expressions are
// checked, templates are left as text. What is wrong is named with line and column, all of it at once.

import { parseDuration } from '../encoding/units.ts';
import { METRIC_NAME } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { ParseError } from '../promql/parse-error.ts';
import { parseQuery } from '../promql/parser.ts';
import { MapReader, type Report } from './map-reader.ts';
import { type Place, parseYaml, YamlError, type YamlNode } from './yaml-tree.ts';

/** A rule that stores what its expression answers under a new name. */
export interface RecordingRule {
  readonly kind: 'record';
  /** Name of the series it makes. */
  readonly record: string;
  /** PromQL, as it is written. */
  readonly expr: string;
  /** Labels of what it makes, the group's included; they win over those of the answer. */
  readonly labels: ReadonlyMap<string, string>;
  readonly place: Place;
}

/** A rule that raises alerts for what its expression answers. */
export interface AlertingRule {
  readonly kind: 'alert';
  readonly alert: string;
  /** PromQL, as it is written. */
  readonly expr: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  /** Templates, the group's labels included. */
  readonly labels: ReadonlyMap<string, string>;
  /** Templates. */
  readonly annotations: ReadonlyMap<string, string>;
  readonly place: Place;
}

/** A rule of either kind. */
export type Rule = RecordingRule | AlertingRule;

/** Rules that are evaluated together, one after another. */
export interface RuleGroup {
  /** Unique in its file. */
  readonly name: string;
  /** Null where the file gives none and the default counts. */
  readonly intervalMs: number | null;
  /** How far behind the clock expressions are evaluated; null where the file gives none. */
  readonly queryOffsetMs: number | null;
  /** Most series or alerts a rule may make; 0 is no limit. */
  readonly limit: number;
  readonly rules: readonly Rule[];
  readonly place: Place;
}

const GROUP_KEYS = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];
const RECORD_KEYS = ['record', 'expr', 'labels'];
const ALERT_ONLY_KEYS = ['for', 'keep_firing_for', 'annotations'];
const RULE_KEYS = [...RECORD_KEYS, 'alert', ...ALERT_ONLY_KEYS];
const FILE_CHARACTERS_MAX = 16 * 1024 * 1024;
const PROBLEMS_SHOWN = 20;

/**
 * The groups of a file's text; `path` is what errors call the file. Throws `bad-data`: one line for each
 * mistake, `path:line:column: what`, twenty at most.
 */
export function parseRuleFile(text: string, path: string): readonly RuleGroup[] {
  if (text.length > FILE_CHARACTERS_MAX) {
    throw new OutpostError('bad-data', `read rules ${path}: it is larger than 16 MiB`);
  }
  const problems: string[] = [];
  const report: Report = ({ line, column }, message) => {
    problems.push(`${path}:${line}:${column}: ${message}`);
  };
  const groups = groupsOf(text, report);
  if (problems.length === 0) return groups;
  const more = problems.length - PROBLEMS_SHOWN;
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  if (more > 0) shown.push(`… and ${more} more`);
  throw new OutpostError('bad-data', shown.join('\n'));
}

function groupsOf(text: string, report: Report): RuleGroup[] {
  let root: YamlNode | null;
  try {
    root = parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    report(error.place, error.message);
    return [];
  }
  if (root === null) return [];
  const file = MapReader.of(root, 'the file', report);
  if (!file) return [];
  file.allow(['groups']);
  const names = new Set<string>();
  return file.list('groups').flatMap(node => {
    const reader = MapReader.of(node, 'a group', report);
    if (!reader) return [];
    const group = groupOf(reader);
    if (names.has(group.name)) {
      reader.problem('name', `group ${JSON.stringify(group.name)} occurs twice in this file`);
    }
    names.add(group.name);
    return [group];
  });
}

function groupOf(reader: MapReader): RuleGroup {
  reader.allow(GROUP_KEYS);
  const name = reader.text('name');
  if (name === '') reader.problem('name', 'a group needs a name');
  const labels = labelsOf(reader, 'labels');
  const rules = reader.list('rules').flatMap(node => {
    const rule = MapReader.of(node, 'a rule', reader.report);
    return rule ? [ruleOf(rule, labels)] : [];
  });
  return {
    name,
    intervalMs: duration(reader, 'interval') || null,
    queryOffsetMs: duration(reader, 'query_offset'),
    limit: limitOf(reader),
    rules,
    place: reader.place,
  };
}

function ruleOf(reader: MapReader, groupLabels: ReadonlyMap<string, string>): Rule {
  reader.allow(RULE_KEYS);
  const record = reader.text('record');
  const alert = reader.text('alert');
  if (record !== '' && alert !== '') {
    reader.problem('alert', 'a rule is either a record or an alert, not both');
  } else if (record === '' && alert === '') {
    reader.problem(null, 'a rule needs "record" or "alert" with a name');
  }
  const expr = expressionOf(reader);
  const labels = new Map([...groupLabels, ...labelsOf(reader, 'labels')]);
  const { place } = reader;
  if (record !== '') {
    checkRecord(reader, record);
    return { kind: 'record', record, expr, labels, place };
  }
  return {
    kind: 'alert',
    alert,
    expr,
    forMs: duration(reader, 'for') ?? 0,
    keepFiringForMs: duration(reader, 'keep_firing_for') ?? 0,
    labels,
    annotations: annotationsOf(reader),
    place,
  };
}

function checkRecord(reader: MapReader, record: string): void {
  for (const key of ALERT_ONLY_KEYS) {
    const empty = key === 'annotations' ? annotationsOf(reader).size === 0 : !duration(reader, key);
    if (!empty) reader.problem(key, `"${key}" belongs to alerts, not to recording rules`);
  }
  if (/[{}]/.test(record)) {
    reader.problem('record', `braces in the name ${record}: write labels under "labels"`);
  } else if (!record.isWellFormed() || record.includes('\ufffd')) {
    reader.problem('record', 'the name is not valid UTF-8');
  }
}

function expressionOf(reader: MapReader): string {
  const node = reader.scalar('expr');
  const expr = node?.text ?? '';
  if (expr.trim() === '') {
    reader.problem('expr', 'a rule needs an expression: "expr"');
    return expr;
  }
  try {
    parseQuery(expr);
  } catch (error) {
    if (!(error instanceof OutpostError) || !node) throw error;
    const isSyntax = error instanceof ParseError;
    const place = isSyntax ? node.placeOf(error.span.start) : node.place;
    reader.report(place, isSyntax ? `parse error: ${error.detail}` : error.message);
  }
  return expr;
}

function labelsOf(reader: MapReader, key: string): ReadonlyMap<string, string> {
  return reader.texts(key, (name, value) => {
    if (name === METRIC_NAME) return `label "${METRIC_NAME}" cannot be set; it is the rule’s name`;
    return nameProblem(name) ?? (value.isWellFormed() ? null : 'the value is not valid UTF-8');
  });
}

function annotationsOf(reader: MapReader): ReadonlyMap<string, string> {
  return reader.texts('annotations', nameProblem);
}

function nameProblem(name: string): string | null {
  if (name === '') return 'a label name is empty';
  return name.isWellFormed() && !name.includes('\ufffd') ? null : 'the name is not valid UTF-8';
}

function duration(reader: MapReader, key: string): number | null {
  const text = reader.text(key);
  if (text === '') return null;
  const ms = parseDuration(text);
  if (ms === null) reader.problem(key, `"${text}" is no duration such as 30s, 5m or 1h30m`);
  return ms;
}

function limitOf(reader: MapReader): number {
  const text = reader.text('limit');
  if (text === '') return 0;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  reader.problem('limit', `"${text}" is no whole number`);
  return 0;
}
