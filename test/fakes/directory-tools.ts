// The tools over directories as functions, for tests: text to blocks, blocks to text.

import {
  Backfill,
  type BackfillOptions,
  type BackfillReport,
} from '../../src/tools/tsdb/backfill/backfill.ts';
import { readOpenMetrics } from '../../src/tools/tsdb/backfill/openmetrics-input.ts';
import { type Refusal, Refusals } from '../../src/tools/tsdb/backfill/refusals.ts';
import { type DumpOptions, type DumpReport, dumpStore } from '../../src/tools/tsdb/dump.ts';
import { ReadOnlyDatabase } from '../../src/tools/tsdb/read-only-database.ts';
import { openMetricsFormat, promFormat } from '../../src/tools/tsdb/series-lines.ts';
import { HOUR } from './test-db.ts';
import { byteStream, toolContext } from './tool-context.ts';

/** What a backfill said. */
export interface BackfillResult {
  readonly report: BackfillReport;
  readonly refused: readonly Refusal[];
  readonly exemplars: number;
}

/** Blocks from the text in a directory, whatever is refused. */
export async function backfilled(
  dir: string,
  text: string,
  {
    staleNan = false,
    bytesAtOnce = 1 << 20,
    ...options
  }: Partial<BackfillOptions> & { staleNan?: boolean; bytesAtOnce?: number } = {},
): Promise<BackfillResult> {
  const backfill = await Backfill.open(dir, {
    ...toolContext(),
    blockRangeMaxMs: 2 * HOUR,
    ...options,
  });
  const refusals = new Refusals();
  try {
    const { exemplarsLeftOut } = await readOpenMetrics(byteStream(text, bytesAtOnce), backfill, {
      refusals,
      staleNan,
      onBytes: () => {},
    });
    const report = await backfill.finish();
    return { report, refused: refusals.examples, exemplars: exemplarsLeftOut };
  } catch (error) {
    await backfill.discard();
    throw error;
  }
}

/** Everything a directory holds, as promtool prints it unless told otherwise. */
export async function dumped(
  dir: string,
  options: Partial<DumpOptions> = {},
): Promise<{ text: string; report: DumpReport }> {
  const context = toolContext();
  const database = await ReadOnlyDatabase.open(dir, context.clock);
  let text = '';
  const report = await dumpStore(database, {
    minTime: -Infinity,
    maxTime: Infinity,
    selectors: [],
    format: promFormat,
    write: piece => void (text += piece),
    ...context,
    ...options,
  });
  await database.close();
  return { text, report };
}

/** Everything a directory holds as OpenMetrics. */
export async function openMetricsOf(dir: string): Promise<string> {
  return (await dumped(dir, { format: openMetricsFormat })).text;
}
