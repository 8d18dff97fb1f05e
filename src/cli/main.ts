#!/usr/bin/env node
// The one executable. It loads the program only where Node.js can run it, so that an old one is answered
// with a sentence; this file and node-version.ts stay readable for any Node.js with modules.

import { nodeProblem } from './node-version.ts';

const problem = nodeProblem(process.versions.node);
if (problem === null) {
  const { withoutMaglev } = await import('../lifecycle/compiler.ts');
  withoutMaglev();
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv);
} else {
  process.stderr.write(`outpost: ${problem}\n`);
  process.exitCode = 1;
}
