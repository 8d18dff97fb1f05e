// label_replace and label_join: rows with other labels, cells untouched.

import { type Labels, METRIC_NAME } from '../../labels/labels.ts';
import { type CaptureGroups, compileAnchored } from '../../labels/regex.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { RowLabels, StepBlock } from '../block.ts';
import type { Execution } from '../execution.ts';
import { quote } from '../literals.ts';
import { regexProblem } from '../text-limits.ts';
import { DuplicateGuard, FixedRow, lasting } from './names.ts';
import { type Distinctness, FRAGMENTED, type VectorOperator } from './operator.ts';

/** The new labels of a row, null where it stays as it is. */
type Relabel = (labels: Labels) => Labels | null;

/** Gives every row new labels; two rows that become the same must not meet at a step. */
export class LabelOperator implements VectorOperator {
  readonly distinct: Distinctness = FRAGMENTED;
  readonly #input: VectorOperator;
  readonly #relabel: Relabel;
  readonly #setsName: boolean;
  readonly #guard: DuplicateGuard;

  readonly #execution: Execution;

  /** `target` is the label that is set. */
  constructor(
    execution: Execution,
    input: VectorOperator,
    { relabel, target }: { readonly relabel: Relabel; readonly target: string },
  ) {
    this.#execution = execution;
    this.#guard = new DuplicateGuard(execution);
    this.#input = input;
    this.#relabel = relabel;
    this.#setsName = target === METRIC_NAME;
  }

  async next(): Promise<StepBlock | null> {
    const block = await this.#input.next();
    if (block === null) return null;
    for (let i = 0; i < block.rows.length; i++) {
      const row = this.#change(block.rows[i]!);
      block.rows[i] = row;
      this.#guard.check(row.labels.key, block, i);
      if (this.#execution.due) await this.#execution.breathe();
    }
    await this.#execution.breathe();
    return block;
  }

  close(): void {
    this.#input.close();
  }

  #change(row: RowLabels): RowLabels {
    const labels = this.#relabel(row.labels);
    if (labels === null) return lasting(row);
    return new FixedRow(labels, row.nameDropped === true && !this.#setsName);
  }
}

function checkLabelName(name: string, role: string, fn: string): void {
  if (name !== '' && name.isWellFormed() && !name.includes('\ufffd')) return;
  throw new OutpostError('execution', `invalid ${role} label name in ${fn}(): ${plain(name)}`);
}

function plain(name: string): string {
  return name.isWellFormed() ? name : quote(name).slice(1, -1);
}

/** label_replace(v, target, replacement, source, pattern). Throws `execution`. */
export function labelReplace(args: readonly string[]): Relabel {
  const [target = '', replacement = '', source = '', pattern = ''] = args;
  const problem = regexProblem(pattern);
  if (problem !== null) throw new OutpostError('execution', `label_replace(): ${problem}`);
  let regex: ReturnType<typeof compileAnchored>;
  try {
    regex = compileAnchored(pattern);
  } catch (cause) {
    throw new OutpostError(
      'execution',
      `invalid regular expression in label_replace(): ${pattern}`,
      { cause },
    );
  }
  checkLabelName(target, 'destination', 'label_replace');
  return labels => {
    const groups = regex.capture(labels.get(source));
    return groups ? labels.with(target, expand(replacement, groups)) : null;
  };
}

const REFERENCE = /\$(?:\$|\{(\w+)\}|(\w+))/g;

/** Go's template expansion: `$1`, `$name`, `${1}`, `$$`; an unknown group is empty. */
function expand(template: string, groups: CaptureGroups): string {
  return template.replace(REFERENCE, (whole, braced: string | undefined, bare?: string) => {
    const name = braced ?? bare;
    if (whole === '$$' || name === undefined) return '$';
    if (/^\d+$/.test(name)) return groups.byIndex[Number(name)] ?? '';
    return groups.byName.get(name) ?? '';
  });
}

/** label_join(v, target, separator, source…). Throws `execution`. */
export function labelJoin(args: readonly string[]): Relabel {
  const [target = '', separator = '', ...sources] = args;
  for (const source of sources) checkLabelName(source, 'source', 'label_join');
  checkLabelName(target, 'destination', 'label_join');
  return labels => labels.with(target, sources.map(name => labels.get(name)).join(separator));
}
