// `outpost tools tsdb snapshot` and `restore`

import { join } from 'node:path';
import type { Command } from 'commander';
import { requestSnapshot } from '../../tools/tsdb/snapshot-call.ts';
import { restoreSnapshot, snapshotDirectory } from '../../tools/tsdb/snapshot-directory.ts';
import { DATA_DIR_DEFAULT, withToolFlags } from './flags.ts';
import { runTool, type ToolFlags } from './run-tool.ts';
import { printVerification } from './verify.ts';

interface SnapshotFlags extends ToolFlags {
  readonly url?: string;
  readonly to?: string;
  readonly skipHead?: boolean;
}

/** Registers both commands. */
export function addSnapshotCommands(tsdb: Command): void {
  tsdb
    .command('snapshot')
    .description('copy everything at one moment, as hard links; prints where')
    .argument('[dir]', 'data directory that no process uses', DATA_DIR_DEFAULT)
    .option('--url <url>', 'ask the running agent there instead: http://127.0.0.1:9190')
    .option('--to <path>', 'where to put it; default: snapshots/<time> in the directory')
    .option('--skip-head', 'leave out what is only in the log')
    .action(snapshot);
  withToolFlags(tsdb.command('restore'))
    .description('check a snapshot and put its blocks into a data directory')
    .argument('<snapshot>', 'the snapshot')
    .argument('<dir>', 'data directory that no process uses, empty or absent')
    .option('--merge', 'add to a directory that is not empty')
    .action(restore);
}

async function snapshot(dir: string, flags: SnapshotFlags): Promise<void> {
  await runTool('tsdb snapshot', flags, async context => {
    const skipHead = flags.skipHead ?? false;
    if (flags.url !== undefined) {
      const name = await requestSnapshot(flags.url, { skipHead }, context.signal);
      await context.out(`${join('snapshots', name)}\n`);
      return true;
    }
    const time = new Date(context.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const target = flags.to ?? join(dir, 'snapshots', time);
    await snapshotDirectory(dir, target, { skipHead }, context);
    await context.out(`${target}\n`);
    return true;
  });
}

async function restore(
  source: string,
  dir: string,
  flags: ToolFlags & { readonly merge?: boolean },
): Promise<void> {
  await runTool('tsdb restore', flags, async context => {
    const { out, tell, progress } = context;
    const merge = flags.merge ?? false;
    const { verification, restored, present } = await restoreSnapshot(
      source,
      dir,
      { merge },
      context,
    );
    progress.end();
    if (!restored) {
      await printVerification(verification, context);
      tell('the snapshot is damaged; nothing was restored');
      return false;
    }
    for (const name of present) tell(`${name} is there already`);
    for (const name of restored) await out(`${name}\n`);
    return true;
  });
}
