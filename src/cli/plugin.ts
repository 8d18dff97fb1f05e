// `outpost plugin`: what authors of plugins need, without an agent.

import type { Command } from 'commander';
import { addCheckCommand } from './plugin/check.ts';
import { addDescribeCommand } from './plugin/describe.ts';
import { addNewCommand } from './plugin/new.ts';

/** Registers the commands. */
export function addPluginCommand(program: Command): void {
  // What follows the executable belongs to the plugin.
  const plugin = program
    .command('plugin')
    .description('write, check and document plugins')
    .enablePositionalOptions();
  addCheckCommand(plugin);
  addDescribeCommand(plugin);
  addNewCommand(plugin);
}
