// Relabelling: rules that rewrite or drop a label set, as Prometheus has them for targets, scraped series,
// remote write and alerts. Behaviour follows prometheus/prometheus model/relabel.

import { createHash } from 'node:crypto';
import type { Labels } from './labels.ts';
import { type CaptureGroups, compileAnchored } from './regex.ts';

/** What a rule does. */
export type RelabelAction =
  | 'replace'
  | 'keep'
  | 'drop'
  | 'keepequal'
  | 'dropequal'
  | 'hashmod'
  | 'labelmap'
  | 'labeldrop'
  | 'labelkeep'
  | 'lowercase'
  | 'uppercase';

/** All actions. */
export const RELABEL_ACTIONS: readonly RelabelAction[] = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
];

/** One rule with its defaults filled in; plain data, so that two are compared as text. */
export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  /** RE2, matched against the whole text. */
  readonly regex: string;
  /** For hashmod. */
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
}

/** What a rule is where nothing is said. */
export const RELABEL_DEFAULTS: RelabelRule = {
  action: 'replace',
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
};

/** Compiled rules: the new labels, or null where the set is dropped. */
export type Relabeller = (labels: Labels) => Labels | null;

/** What one rule made of a set. */
export interface RelabelStep {
  readonly rule: RelabelRule;
  /** Null where the rule dropped the set. */
  readonly labels: Labels | null;
}

type Step = (labels: Labels) => Labels | null;

/** Compiles rules in their order. Throws a SyntaxError for an expression that is not RE2. */
export function compileRelabel(rules: readonly RelabelRule[]): Relabeller {
  const steps = rules.map(compileRule);
  return labels => {
    let current: Labels | null = labels;
    for (const step of steps) {
      current = step(current);
      if (current === null) return null;
    }
    return current;
  };
}

/** Every rule's outcome in turn; ends with the rule that dropped the set. */
export function relabelSteps(rules: readonly RelabelRule[], labels: Labels): RelabelStep[] {
  const steps: RelabelStep[] = [];
  let current: Labels | null = labels;
  for (const rule of rules) {
    current = compileRule(rule)(current);
    steps.push({ rule, labels: current });
    if (current === null) break;
  }
  return steps;
}

/** The reason a rule makes no sense, with the field it lies in, or null. */
export function relabelProblem(
  rule: RelabelRule,
): { readonly field: string; readonly message: string } | null {
  const { action, targetLabel } = rule;
  if (action === 'hashmod' && rule.modulus === 0) {
    return { field: 'modulus', message: 'the action hashmod needs a modulus above 0' };
  }
  const needsTarget = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'];
  if (needsTarget.includes(action) && targetLabel === '') {
    return { field: 'target_label', message: `the action ${action} needs a target_label` };
  }
  if (action === 'replace' && !targetLabel.includes('$') && !isLabelName(targetLabel)) {
    return { field: 'target_label', message: `"${targetLabel}" is not a label name` };
  }
  if (['lowercase', 'uppercase', 'hashmod', 'keepequal', 'dropequal'].includes(action)) {
    if (!isLabelName(targetLabel) || targetLabel.includes('$')) {
      return { field: 'target_label', message: `"${targetLabel}" is not a label name` };
    }
  }
  if (['lowercase', 'uppercase'].includes(action) && rule.replacement !== '$1') {
    return { field: 'replacement', message: `the action ${action} takes no replacement` };
  }
  if (action === 'labelmap' && !rule.replacement.includes('$') && !isLabelName(rule.replacement)) {
    return { field: 'replacement', message: `"${rule.replacement}" is not a label name` };
  }
  return foreignField(rule);
}

/** Fields that an action does not read must be left alone, so that nobody believes they do something. */
function foreignField(rule: RelabelRule): { field: string; message: string } | null {
  const isEqual = rule.action === 'keepequal' || rule.action === 'dropequal';
  const isNames = rule.action === 'labeldrop' || rule.action === 'labelkeep';
  if (!isEqual && !isNames) return null;
  const given: [string, boolean][] = [
    ['regex', isEqual && rule.regex !== RELABEL_DEFAULTS.regex],
    ['source_labels', isNames && rule.sourceLabels.length > 0],
    ['target_label', isNames && rule.targetLabel !== ''],
    ['modulus', rule.modulus !== 0],
    ['separator', rule.separator !== RELABEL_DEFAULTS.separator],
    ['replacement', rule.replacement !== RELABEL_DEFAULTS.replacement],
  ];
  const field = given.find(([, isGiven]) => isGiven)?.[0];
  if (field === undefined) return null;
  const takes = isEqual ? 'source_labels and target_label' : 'a regex';
  return { field, message: `the action ${rule.action} takes only ${takes}` };
}

function isLabelName(name: string): boolean {
  return name !== '' && name.isWellFormed();
}

function compileRule(rule: RelabelRule): Step {
  const source = (labels: Labels): string =>
    rule.sourceLabels.map(name => labels.get(name)).join(rule.separator);
  const { targetLabel } = rule;
  switch (rule.action) {
    case 'keepequal':
      return labels => (labels.get(targetLabel) === source(labels) ? labels : null);
    case 'dropequal':
      return labels => (labels.get(targetLabel) === source(labels) ? null : labels);
    case 'hashmod':
      return labels => labels.with(targetLabel, String(hashMod(source(labels), rule.modulus)));
    case 'lowercase':
      return labels => labels.with(targetLabel, source(labels).toLowerCase());
    case 'uppercase':
      return labels => labels.with(targetLabel, source(labels).toUpperCase());
    default:
      return compileMatching(rule, source);
  }
}

function compileMatching(rule: RelabelRule, source: (labels: Labels) => string): Step {
  const regex = compileAnchored(rule.regex);
  switch (rule.action) {
    case 'keep':
      return labels => (regex.matches(source(labels)) ? labels : null);
    case 'drop':
      return labels => (regex.matches(source(labels)) ? null : labels);
    case 'labelmap':
      return labels => mapLabels(labels, rule.replacement, name => regex.capture(name));
    case 'labeldrop':
      return labels => labels.without(namesOf(labels).filter(name => regex.matches(name)));
    case 'labelkeep':
      return labels => labels.keep(namesOf(labels).filter(name => regex.matches(name)));
    default:
      return replaceStep(rule, source, text => regex.capture(text));
  }
}

function replaceStep(
  rule: RelabelRule,
  source: (labels: Labels) => string,
  capture: (text: string) => CaptureGroups | null,
): Step {
  const { targetLabel, replacement } = rule;
  return labels => {
    const groups = capture(source(labels));
    if (groups === null) return labels;
    const target = expandTemplate(targetLabel, groups);
    if (!isLabelName(target)) return labels;
    return labels.with(target, expandTemplate(replacement, groups));
  };
}

function mapLabels(
  labels: Labels,
  replacement: string,
  capture: (name: string) => CaptureGroups | null,
): Labels {
  let mapped = labels;
  for (const [name, value] of labels) {
    const groups = capture(name);
    if (groups !== null) mapped = mapped.with(expandTemplate(replacement, groups), value);
  }
  return mapped;
}

function namesOf(labels: Labels): string[] {
  return [...labels].map(([name]) => name);
}

/** The low eight bytes of the MD5, modulo; moduli beyond 2^53 are not exact and refused by the reader. */
function hashMod(text: string, modulus: number): number {
  const digest = createHash('md5').update(text, 'utf8').digest();
  return Number(digest.readBigUInt64BE(8) % BigInt(modulus));
}

const REFERENCE = /\$(?:\$|\{(\w+)\}|(\w+))/g;

/** Go's template expansion: `$1`, `$name`, `${1}`, `$$`; an unknown group is empty. */
export function expandTemplate(template: string, groups: CaptureGroups): string {
  if (!template.includes('$')) return template;
  return template.replace(REFERENCE, (whole, braced: string | undefined, bare?: string) => {
    const name = braced ?? bare;
    if (whole === '$$' || name === undefined) return '$';
    if (/^\d+$/.test(name)) return groups.byIndex[Number(name)] ?? '';
    return groups.byName.get(name) ?? '';
  });
}
