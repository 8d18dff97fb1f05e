// Statistics files whose lines are a word and a fixed number of counters, such as those of NFS and XFS.
// Kernels differ in how many counters a line has; one that is not there counts as 0.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import type { Series } from '../sdk/metrics.ts';

/** A line: its first word, how many words to pass over after it, and a series for each word then. */
export interface LabelledLine {
  readonly label: string;
  readonly skip?: number;
  /** null: the word has no series. */
  readonly columns: readonly (Series | null)[];
}

/** Sets the series of all lines from a whole file. */
export function reportLines(scanner: ByteScanner, lines: readonly LabelledLine[]): void {
  for (const { columns } of lines) for (const series of columns) series?.set(0);
  while (scanner.line()) {
    if (!scanner.word()) continue;
    for (const { label, skip, columns } of lines) {
      if (!scanner.is(label)) continue;
      scanner.skip(skip ?? 0);
      for (const series of columns) {
        const value = scanner.number();
        if (Number.isNaN(value)) break;
        series?.set(value);
      }
      break;
    }
  }
}
