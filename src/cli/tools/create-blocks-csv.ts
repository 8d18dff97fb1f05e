// `outpost tools tsdb create-blocks-from csv`

import { type Command, InvalidArgumentError, Option } from 'commander';
import { readCsv } from '../../tools/tsdb/backfill/csv-input.ts';
import { TIME_FORMATS, type TimeFormat } from '../../tools/tsdb/backfill/csv-time.ts';
import { labelFlag, listFlag } from '../flags.ts';
import {
  type BackfillFlags,
  createBlocksFromFile,
  withBackfillFlags,
  withRefusalFlag,
} from './backfill-command.ts';
import { DATA_DIR_DEFAULT } from './flags.ts';
import { runTool } from './run-tool.ts';

interface CsvFlags extends BackfillFlags {
  readonly timeColumn: string;
  readonly timeFormat: TimeFormat;
  readonly valueColumn: readonly string[];
  readonly metric?: string;
  readonly labelColumn?: readonly string[];
  readonly label?: Readonly<Record<string, string>>;
  readonly separator: string;
}

/** Registers the command. */
export function addCreateFromCsv(parent: Command): void {
  withRefusalFlag(withBackfillFlags(parent.command('csv')))
    .description('blocks from comma-separated values under a line of column names')
    .argument('<file>', 'the text, - for standard input')
    .argument('[dir]', 'data directory the blocks go into', DATA_DIR_DEFAULT)
    .requiredOption('--time-column <name>', 'column of times')
    .addOption(
      new Option('--time-format <format>', 'form of the times')
        .choices(TIME_FORMATS)
        .default('unix'),
    )
    .requiredOption('--value-column <name>', 'column of values; repeat for more', listFlag)
    .option('--metric <name>', 'name of the metric instead of the value column’s')
    .option('--label-column <name>', 'column of a label; default: all other columns', listFlag)
    .option('--label <name=value>', 'label of every series; repeat for more', labelFlag)
    .option('--separator <character>', 'between fields', separatorFlag, ',')
    .action(async (path: string, dir: string, flags: CsvFlags) => {
      await runTool('tsdb create-blocks-from csv', flags, context =>
        createBlocksFromFile({ dir, path }, flags, context, async ({ stream }, backfill, told) => {
          const { emptyValues } = await readCsv(stream, backfill, {
            ...told,
            timeColumn: flags.timeColumn,
            timeFormat: flags.timeFormat,
            valueColumns: flags.valueColumn,
            labels: flags.label ?? {},
            separator: flags.separator,
            ...(flags.metric !== undefined && { metric: flags.metric }),
            ...(flags.labelColumn && { labelColumns: flags.labelColumn }),
          });
          return emptyValues === 0 ? [] : [`${emptyValues} empty values passed over`];
        }),
      );
    });
}

function separatorFlag(text: string): string {
  const separator = text === '\\t' ? '\t' : text;
  if (separator.length !== 1 || /["\r\n]/.test(separator)) {
    throw new InvalidArgumentError('Expected one character such as ; or \\t.');
  }
  return separator;
}
