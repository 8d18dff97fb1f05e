// The same series over and over: everything but the values is rendered once, so that an exposition of a
// thousand series is a walk over ready prefixes.

import type { Labels } from '../labels/labels.ts';
import { assert } from '../lifecycle/errors.ts';
import { isStaleAt } from '../storage/stale.ts';
import { type Dialect, type FamilyHeader, seriesText } from './dialect.ts';

interface TableFamily {
  readonly header: FamilyHeader;
  readonly headerText: string;
  /** Slot → line prefix, in order of addition. */
  readonly lines: Map<number, string>;
}

/** One series of a table. `slot` is its index in the column of values. */
export interface TableSeries {
  readonly slot: number;
  readonly suffix: string;
  /** Without the metric name. */
  readonly labels: Labels;
}

/** All of a family, none of it, or some of its slots. */
export type Wanted = boolean | ((slot: number) => boolean);

/** Series of one dialect, grouped by family in order of addition. */
export class SeriesTable {
  readonly dialect: Dialect;
  readonly #families = new Map<string, TableFamily>();

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** Announces a family, before its series. Announcing it again replaces the header and keeps the series. */
  addFamily(header: FamilyHeader): void {
    const lines = this.#families.get(header.name)?.lines ?? new Map<number, string>();
    const headerText = this.dialect.header(header);
    this.#families.set(header.name, { header, headerText, lines });
  }

  /** Adds a series to an announced family. */
  addSeries(familyName: string, series: TableSeries): void {
    const family = this.#families.get(familyName);
    assert(family, `family ${familyName} was not announced`);
    const { slot, suffix, labels } = series;
    family.lines.set(slot, `${seriesText(family.header, suffix, labels, this.dialect)} `);
  }

  /** Removes a series; its slot may then be used for another. */
  removeSeries(familyName: string, slot: number): void {
    this.#families.get(familyName)?.lines.delete(slot);
  }

  /**
   * Writes the families that `wanted` accepts, wholly or by slot, with the values of their slots, without
   * the dialect's trailer. Slots that hold the staleness marker have no line; families without lines no
   * header.
   */
  render(values: Float64Array, wanted?: (familyName: string) => Wanted): string {
    let text = '';
    for (const [name, { headerText, lines }] of this.#families) {
      const choice = wanted?.(name) ?? true;
      if (choice === false) continue;
      let body = '';
      for (const [slot, prefix] of lines) {
        if (isStaleAt(values, slot)) continue;
        if (choice !== true && !choice(slot)) continue;
        body += `${prefix}${this.dialect.value(values[slot]!)}\n`;
      }
      if (body !== '') text += headerText + body;
    }
    return text;
  }
}
