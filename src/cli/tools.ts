// `outpost tools`: work on files and directories that needs no running agent.

import type { Command } from 'commander';
import { addDumpCommands } from './tools/dump.ts';
import { addListCommand } from './tools/list.ts';

/** Registers the tools. */
export function addToolsCommand(program: Command): void {
  const tools = program.command('tools').description('look at, mend and move data');
  const tsdb = tools.command('tsdb').description('data directories: blocks and logs');
  addListCommand(tsdb);
  addDumpCommands(tsdb);
}
