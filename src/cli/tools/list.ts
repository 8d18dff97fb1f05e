// `outpost tools tsdb list`

import type { Command } from 'commander';
import { formatBlocks, listBlocks } from '../../tools/tsdb/block-list.ts';
import { DATA_DIR_DEFAULT } from './flags.ts';
import { runTool } from './run-tool.ts';

/** Registers the command. */
export function addListCommand(tsdb: Command): void {
  tsdb
    .command('list')
    .description('list blocks, and what only the log holds')
    .argument('[dir]', 'data directory', DATA_DIR_DEFAULT)
    .option('-r, --human-readable', 'dates and units instead of milliseconds and bytes')
    .action(async (dir: string, flags: { humanReadable?: boolean }) => {
      await runTool('tsdb list', {}, async ({ clock, out, tell }) => {
        const { rows, unreadable } = await listBlocks(dir, clock);
        await out(formatBlocks(rows, flags.humanReadable ?? false));
        for (const problem of unreadable) tell(problem);
        return unreadable.length === 0;
      });
    });
}
