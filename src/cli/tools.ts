// `outpost tools`: work on files and directories that needs no running agent, and a comparison of one with others.

import type { Command } from 'commander';
import { addAnalyzeCommand } from './tools/analyze.ts';
import { addCreateFromCsv } from './tools/create-blocks-csv.ts';
import { addCreateFromOpenMetrics } from './tools/create-blocks-openmetrics.ts';
import { addCreateFromRemoteRead } from './tools/create-blocks-remote-read.ts';
import { addCreateFromRules } from './tools/create-blocks-rules.ts';
import { addDumpCommands } from './tools/dump.ts';
import { addListCommand } from './tools/list.ts';
import { addParityCommand } from './tools/parity.ts';
import { addSnapshotCommands } from './tools/snapshot.ts';
import { addVerifyCommand } from './tools/verify.ts';

/** Registers the tools. */
export function addToolsCommand(program: Command): void {
  const tools = program.command('tools').description('look at, mend, move and compare data');
  const tsdb = tools.command('tsdb').description('data directories: blocks and logs');
  addListCommand(tsdb);
  addAnalyzeCommand(tsdb);
  addDumpCommands(tsdb);
  addVerifyCommand(tsdb);
  addSnapshotCommands(tsdb);
  const create = tsdb
    .command('create-blocks-from')
    .description('make blocks from other data; a running process sees them within a minute');
  addCreateFromOpenMetrics(create);
  addCreateFromCsv(create);
  addCreateFromRemoteRead(create);
  addCreateFromRules(create);
  addParityCommand(tools);
}
