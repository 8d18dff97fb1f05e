#!/usr/bin/env node
// The one executable. Each mode is a file beside this one.

import { Command } from 'commander';
import { addAgentCommand } from './agent.ts';
import { addQueryCommand } from './query.ts';
import { addToolsCommand } from './tools.ts';
import { addUpCommand } from './up.ts';
import { packageVersion } from './version.ts';

const EXIT_USAGE = 2;

const program = new Command('outpost')
  .description('One agent per host: metrics, PromQL and StoreAPI, federated into one view.')
  .version(packageVersion(), '-v, --version', 'print the version')
  .showHelpAfterError('(--help lists what there is)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride(error => {
    process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  });
addUpCommand(program);
addAgentCommand(program);
addQueryCommand(program);
addToolsCommand(program);
await program.parseAsync();
