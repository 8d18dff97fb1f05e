// `outpost tools tsdb verify`

import type { Command } from 'commander';
import { type Verification, verifyDirectory } from '../../tools/tsdb/verify/verify-directory.ts';
import { DATA_DIR_DEFAULT, withToolFlags } from './flags.ts';
import { runTool, type ToolContext, type ToolFlags } from './run-tool.ts';

/** Registers the command. */
export function addVerifyCommand(tsdb: Command): void {
  withToolFlags(tsdb.command('verify'))
    .description(
      'read every byte of blocks and log and name what is wrong; exit code 1 if anything',
    )
    .argument('[dir]', 'data directory, snapshot or block', DATA_DIR_DEFAULT)
    .action(async (dir: string, flags: ToolFlags) => {
      await runTool('tsdb verify', flags, async context => {
        const verification = await verifyDirectory(dir, context);
        context.progress.end();
        await printVerification(verification, context);
        return verification.findings.errors === 0;
      });
    });
}

/** Prints what was found, one line each, and a summary. */
export async function printVerification(
  { findings, ...counts }: Verification,
  { out }: Pick<ToolContext, 'out'>,
): Promise<void> {
  for (const { severity, text } of findings.kept) await out(`${severity}: ${text}\n`);
  const more = findings.errors + findings.notes - findings.kept.length;
  if (more > 0) await out(`… and ${more} more\n`);
  const { blocks, series, chunks, samples, log } = counts;
  const inLog = log ? `; log: ${log.segments} segments, ${log.samples} samples` : '';
  await out(
    `${blocks} blocks, ${series} series, ${chunks} chunks, ${samples} samples${inLog}: ` +
      `${findings.errors} errors, ${findings.notes} notes\n`,
  );
}
