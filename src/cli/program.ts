// The command line: one command for each mode, help and the answer to wrong usage. Each mode is a file
// beside this one.

import { Command, type Option } from 'commander';
import { addAgentCommand } from './agent.ts';
import { addPluginCommand } from './plugin.ts';
import { addQueryCommand } from './query.ts';
import { addToolsCommand } from './tools.ts';
import { addUpCommand } from './up.ts';
import { packageVersion } from './version.ts';

const EXIT_USAGE = 2;
/** Columns that are enough for a description; the longest flags leave no more on a narrow screen. */
const WRAPPED_MIN = 20;

/** Runs the mode that `argv` names; resolves when it has ended. Wrong usage ends the process. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = new Command('outpost')
    .description('One agent per host: metrics, PromQL and StoreAPI, federated into one view.')
    .version(packageVersion(), '-v, --version', 'print the version')
    .showHelpAfterError('(--help lists what there is)')
    .configureHelp({ optionDescription, minWidthToWrap: WRAPPED_MIN })
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'outpost: ')),
    })
    .exitOverride(error => {
      process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
    });
  addUpCommand(program);
  addAgentCommand(program);
  addQueryCommand(program);
  addToolsCommand(program);
  addPluginCommand(program);
  await program.parseAsync(argv);
}

/** Choices and default once, as a user writes them. */
function optionDescription(option: Option): string {
  const { description, argChoices, defaultValue, defaultValueDescription, required } = option;
  const choices = argChoices ? `: ${argChoices.join(', ')}` : '';
  const plain = required && /string|number/.test(typeof defaultValue) ? String(defaultValue) : '';
  const value = defaultValueDescription ?? plain;
  return `${description}${choices}${value === '' ? '' : ` (default ${value})`}`;
}
