// Which group of an aggregation a row falls into.

import { Labels, METRIC_NAME } from '../../labels/labels.ts';
import type { RowLabels } from '../block.ts';
import { DISTINCT, type Distinctness } from './operator.ts';

// A lone surrogate cannot occur in label values, so it separates them unambiguously.
const SEPARATOR = '\ud800';

/** The `by` or `without` of an aggregation. */
export class Grouping {
  readonly without: boolean;
  readonly names: readonly string[];

  constructor(names: readonly string[], without: boolean) {
    this.names = [...new Set(names)];
    this.without = without;
  }

  get distinct(): Distinctness {
    const named = !this.without && this.names.includes(METRIC_NAME);
    return named ? { full: true, nameless: false } : DISTINCT;
  }

  /** Equal exactly for rows of the same group. */
  keyOf(row: RowLabels): string {
    if (this.without) return this.labelsOf(row).key;
    const { names } = this;
    if (names.length === 0) return '';
    if (names.length === 1) return row.label(names[0]!);
    let key = row.label(names[0]!);
    for (let i = 1; i < names.length; i++) key += SEPARATOR + row.label(names[i]!);
    return key;
  }

  /** The labels of the row's group. */
  labelsOf(row: RowLabels): Labels {
    if (this.without) return row.labels.without([...this.names, METRIC_NAME]);
    return Labels.fromPairs(this.names.map(name => [name, row.label(name)] as const));
  }
}

/** The state that an aggregation keeps for each group. */
export class Groups<State> {
  readonly #grouping: Grouping;
  readonly #newState: (labels: Labels) => State;
  readonly #groups = new Map<string, Group<State>>();

  constructor(grouping: Grouping, newState: (labels: Labels) => State) {
    this.#grouping = grouping;
    this.#newState = newState;
  }

  /** The row's group, made where it is new. */
  of(row: RowLabels): Group<State> {
    const key = this.#grouping.keyOf(row);
    let group = this.#groups.get(key);
    if (!group) {
      const labels = this.#grouping.labelsOf(row);
      group = { labels, nameDropped: false, state: this.#newState(labels) };
      this.#groups.set(key, group);
    }
    if (row.nameDropped) group.nameDropped = true;
    return group;
  }

  get all(): Iterable<Group<State>> {
    return this.#groups.values();
  }
}

/** One group. */
export interface Group<State> {
  readonly labels: Labels;
  /** True once a row came in whose name falls away at the end. */
  nameDropped: boolean;
  readonly state: State;
}
