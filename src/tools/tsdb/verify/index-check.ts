// What the checks of an index's sections share: where they read, what they know of symbols, where sections
// end.

import type { ByteSource } from '../../../tsdb/byte-source.ts';
import type { IndexLayout } from '../../../tsdb/index/format.ts';
import type { ByteWindow } from './byte-window.ts';
import type { Findings } from './findings.ts';

/** Where an index is checked. */
export interface IndexCheck {
  readonly source: ByteSource;
  readonly window: ByteWindow;
  readonly layout: IndexLayout;
  /** Alignment of series, which is also what an id is a multiple of: 16, or 1 in format 1. */
  readonly idScale: number;
  readonly findings: Findings;
  /** The block's range; chunks lie inside. `maxTime` is exclusive. */
  readonly minTime: number;
  readonly maxTime: number;
}

/** The strings of an index, numbered in the order of the table. */
export interface SymbolTable {
  readonly texts: readonly string[];
  /** The number of the string that a reference stands for, −1 where there is none. */
  ordinalOf(ref: number): number;
  /** The number of a string, −1 where there is none. */
  find(text: string): number;
}

/** Offset where the section that begins at `start` ends at the latest. */
export function sectionEnd({ toc, tocStart }: IndexLayout, start: number): number {
  return Math.min(tocStart, ...Object.values(toc).filter(offset => offset > start));
}

/** Bytes between sections are zero. */
export async function verifyPadding(
  { window, source, findings }: IndexCheck,
  from: number,
  to: number,
): Promise<void> {
  const at = await window.firstNonZero(from, to);
  if (at >= 0) findings.error('index padding is not zero', source.name, at);
}
