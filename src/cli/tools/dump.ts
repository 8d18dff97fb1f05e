// `outpost tools tsdb dump` and `dump-openmetrics`

import { type Command, Option } from 'commander';
import type { Matcher } from '../../labels/matcher.ts';
import { dumpStore } from '../../tools/tsdb/dump.ts';
import { ReadOnlyDatabase } from '../../tools/tsdb/read-only-database.ts';
import {
  jsonFormat,
  type LineFormat,
  openMetricsFormat,
  promFormat,
  seriesJsonFormat,
} from '../../tools/tsdb/series-lines.ts';
import { DATA_DIR_DEFAULT, selectorFlag, timeFlag, withToolFlags } from './flags.ts';
import { runTool, type ToolFlags } from './run-tool.ts';

const FORMATS = { prom: promFormat, json: jsonFormat, seriesjson: seriesJsonFormat } as const;

interface DumpFlags extends ToolFlags {
  readonly minTime?: number;
  readonly maxTime?: number;
  readonly match?: readonly (readonly Matcher[])[];
}

/** Registers both commands. */
export function addDumpCommands(tsdb: Command): void {
  withDumpFlags(tsdb.command('dump').description('print samples, one a line'))
    .addOption(
      new Option(
        '--format <format>',
        'promtool’s lines, series with samples as JSON, or series alone',
      )
        .choices(Object.keys(FORMATS))
        .default('prom'),
    )
    .action((dir: string, flags: DumpFlags & { format: keyof typeof FORMATS }) =>
      dump('tsdb dump', dir, flags, FORMATS[flags.format]),
    );
  withDumpFlags(
    tsdb
      .command('dump-openmetrics')
      .description('print samples as OpenMetrics, which create-blocks-from openmetrics reads'),
  ).action((dir: string, flags: DumpFlags) =>
    dump('tsdb dump-openmetrics', dir, flags, openMetricsFormat),
  );
}

function withDumpFlags(command: Command): Command {
  return withToolFlags(command)
    .argument('[dir]', 'data directory', DATA_DIR_DEFAULT)
    .option('--min-time <time>', 'oldest sample: Unix ms or a date', timeFlag)
    .option('--max-time <time>', 'newest sample: Unix ms or a date', timeFlag)
    .option('--match <selector>', 'series to print; repeat for more', selectorFlag);
}

async function dump(
  name: string,
  dir: string,
  flags: DumpFlags,
  format: LineFormat,
): Promise<void> {
  // A bar would stand between the lines.
  const quiet = flags.quiet || process.stdout.isTTY === true;
  await runTool(name, { quiet }, async ({ clock, progress, signal, out, tell }) => {
    const database = await ReadOnlyDatabase.open(dir, clock);
    try {
      const report = await dumpStore(database, {
        minTime: flags.minTime ?? Number.NEGATIVE_INFINITY,
        maxTime: flags.maxTime ?? Number.POSITIVE_INFINITY,
        selectors: flags.match ?? [],
        format,
        write: out,
        progress,
        signal,
      });
      if (report.histogramsLeftOut > 0) {
        tell(`${report.histogramsLeftOut} native histogram samples left out: the format has none`);
      }
      return true;
    } finally {
      await database.close();
    }
  });
}
