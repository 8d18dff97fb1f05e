// `outpost tools tsdb create-blocks-from remote-read`

import type { Command } from 'commander';
import { Matcher } from '../../labels/matcher.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { blockRange } from '../../tools/tsdb/backfill/backfill.ts';
import { type RemoteReadReport, readRemote } from '../../tools/tsdb/backfill/remote-read-input.ts';
import { type BackfillFlags, createBlocks, withBackfillFlags } from './backfill-command.ts';
import { DATA_DIR_DEFAULT, headerFlag, selectorFlag, timeFlag } from './flags.ts';
import { runTool } from './run-tool.ts';

interface RemoteReadFlags extends BackfillFlags {
  readonly minTime: number;
  readonly maxTime?: number;
  readonly match?: readonly (readonly Matcher[])[];
  readonly header?: Readonly<Record<string, string>>;
}

const EVERYTHING = [new Matcher('=~', '__name__', '.+')];

/** Registers the command. */
export function addCreateFromRemoteRead(parent: Command): void {
  withBackfillFlags(parent.command('remote-read'))
    .description('blocks from what another server has, over Prometheus’ remote read')
    .argument('<url>', 'the endpoint: http://127.0.0.1:9090/api/v1/read')
    .argument('[dir]', 'data directory the blocks go into', DATA_DIR_DEFAULT)
    .requiredOption('--min-time <time>', 'oldest sample: Unix ms or a date', timeFlag)
    .option('--max-time <time>', 'newest sample: Unix ms or a date; default: now', timeFlag)
    .option('--match <selector>', 'series to read; repeat for more; default: all', selectorFlag)
    .option('--header <name:value>', 'header of each request; repeat for more', headerFlag)
    .action(async (url: string, dir: string, flags: RemoteReadFlags) => {
      await runTool('tsdb create-blocks-from remote-read', flags, context => {
        const { clock, progress, signal } = context;
        const maxTime = Math.min(flags.maxTime ?? clock.now(), clock.now());
        const { minTime } = flags;
        if (!URL.canParse(url)) throw new OutpostError('bad-data', `read from ${url}: not a URL`);
        if (!Number.isFinite(minTime) || minTime > maxTime) {
          throw new OutpostError('bad-data', 'read: --min-time has to lie before --max-time');
        }
        return createBlocks({ dir, name: url }, flags, context, async backfill =>
          sentences(
            await readRemote(backfill, {
              url,
              headers: flags.header ?? {},
              selectors: flags.match ?? [EVERYTHING],
              minTime,
              maxTime,
              stretchMs: blockRange(flags.maxBlockDuration),
              progress,
              signal,
            }),
          ),
        );
      });
    });
}

function sentences(report: RemoteReadReport): string[] {
  const { histogramsLeftOut, samplesRefused, seriesRefused, reason } = report;
  const told: string[] = [];
  if (histogramsLeftOut > 0) told.push(`${histogramsLeftOut} native histogram samples left out`);
  if (seriesRefused > 0 || samplesRefused > 0) {
    const counts = `${seriesRefused} series and ${samplesRefused} samples refused`;
    told.push(`${counts}, the first: ${reason}`);
  }
  return told;
}
