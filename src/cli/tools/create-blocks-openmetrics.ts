// `outpost tools tsdb create-blocks-from openmetrics`

import type { Command } from 'commander';
import { readOpenMetrics } from '../../tools/tsdb/backfill/openmetrics-input.ts';
import {
  type BackfillFlags,
  createBlocksFromFile,
  withBackfillFlags,
  withRefusalFlag,
} from './backfill-command.ts';
import { DATA_DIR_DEFAULT } from './flags.ts';
import { runTool } from './run-tool.ts';

interface OpenMetricsFlags extends BackfillFlags {
  readonly staleNan?: boolean;
}

/** Registers the command. */
export function addCreateFromOpenMetrics(parent: Command): void {
  withRefusalFlag(withBackfillFlags(parent.command('openmetrics')))
    .description('blocks from OpenMetrics text whose samples have timestamps')
    .argument('<file>', 'the text, - for standard input')
    .argument('[dir]', 'data directory the blocks go into', DATA_DIR_DEFAULT)
    .option('--stale-nan', 'read NaN as a staleness marker, for which the text has no sign')
    .action(async (path: string, dir: string, flags: OpenMetricsFlags) => {
      await runTool('tsdb create-blocks-from openmetrics', flags, context =>
        createBlocksFromFile({ dir, path }, flags, context, async ({ stream }, backfill, told) => {
          const staleNan = flags.staleNan ?? false;
          const { exemplarsLeftOut } = await readOpenMetrics(stream, backfill, {
            ...told,
            staleNan,
          });
          if (exemplarsLeftOut === 0) return [];
          return [`${exemplarsLeftOut} exemplars left out: blocks hold samples only`];
        }),
      );
    });
}
