// The tools without the modes, which load ten times as much: an executable for tests.

import { Command } from 'commander';
import { addToolsCommand } from '../../src/cli/tools.ts';

const program = new Command('outpost').exitOverride(error => {
  process.exit(error.exitCode === 0 ? 0 : 2);
});
addToolsCommand(program);
await program.parseAsync();
