// Relabelling rules in a configuration.

import Type, { type Static } from 'typebox';
import { compileAnchored } from '../../labels/regex.ts';
import {
  RELABEL_ACTIONS,
  RELABEL_DEFAULTS,
  type RelabelAction,
  type RelabelRule,
  relabelProblem,
} from '../../labels/relabel.ts';
import type { Mistake } from '../config-file.ts';
import { closed } from '../config-values.ts';

const RuleSchema = Type.Object(
  {
    source_labels: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'Labels whose values are joined and looked at.',
      }),
    ),
    separator: Type.Optional(Type.String({ description: 'Stands between them. Default ";".' })),
    regex: Type.Optional(
      Type.Union([Type.String(), Type.Number(), Type.Null()], {
        description: 'RE2 that the whole text must match. Default (.*).',
        examples: ['(.+):9100'],
      }),
    ),
    modulus: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'What hashmod divides by.',
      }),
    ),
    target_label: Type.Optional(Type.String({ description: 'The label that is written.' })),
    replacement: Type.Optional(
      Type.Union([Type.String(), Type.Number()], {
        description: 'What is written; $1 is the first group. Default $1.',
        examples: ['$1'],
      }),
    ),
    action: Type.Optional(
      Type.String({
        pattern: `^(?:${RELABEL_ACTIONS.map(anyCase).join('|')})$`,
        description: `One of ${RELABEL_ACTIONS.join(', ')}. Default replace.`,
        examples: ['replace', 'keep', 'drop'],
      }),
    ),
  },
  closed,
);

/** A list of rules. */
export const RelabelSchema = (description: string) =>
  Type.Optional(Type.Array(RuleSchema, { description }));

type RuleBlock = Static<typeof RuleSchema>;

function anyCase(action: string): string {
  return action.replace(/[a-z]/g, letter => `[${letter}${letter.toUpperCase()}]`);
}

/** The rules that blocks mean. */
export function relabelRules(blocks: readonly RuleBlock[] = []): RelabelRule[] {
  return blocks.map(block => ({
    action: (block.action?.toLowerCase() ?? RELABEL_DEFAULTS.action) as RelabelAction,
    sourceLabels: block.source_labels ?? [],
    separator: block.separator ?? RELABEL_DEFAULTS.separator,
    regex: String(block.regex ?? RELABEL_DEFAULTS.regex),
    modulus: block.modulus ?? 0,
    targetLabel: block.target_label ?? '',
    replacement: String(block.replacement ?? RELABEL_DEFAULTS.replacement),
  }));
}

/** What is wrong with rules beyond their schema. */
export function* relabelMistakes(
  blocks: readonly RuleBlock[] = [],
  at: readonly string[],
): Generator<Mistake> {
  for (const [i, rule] of relabelRules(blocks).entries()) {
    const keys = [...at, String(i)];
    const problem = relabelProblem(rule);
    if (problem) yield { keys: [...keys, problem.field], message: problem.message };
    try {
      compileAnchored(rule.regex);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      yield { keys: [...keys, 'regex'], message };
    }
  }
}
