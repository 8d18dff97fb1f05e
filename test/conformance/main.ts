// `npm run conformance [-- file…]`: runs upstream's scripts and prints what passed and what did not.

import {
  corpusPresent,
  olderScriptNames,
  readScript,
  scriptNames,
  storeScriptNames,
} from './corpus.ts';
import { conformanceEngine, runScript } from './runner.ts';

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  if (!corpusPresent) {
    write('the promqltest scripts are absent (expected at ../shared/corpora/promqltest)');
    return;
  }
  const wanted = process.argv.slice(2);
  const names = [...scriptNames(), ...olderScriptNames(), ...storeScriptNames()].filter(
    name => wanted.length === 0 || wanted.some(part => name.includes(part)),
  );
  let passed = 0;
  let total = 0;
  const engine = conformanceEngine();
  const summary: string[] = [];
  for (const name of names) {
    const report = await runScript(readScript(name), engine);
    for (const { line, query, reason } of report.failures) {
      write(`${name}:${line}: ${query}\n    ${reason}`);
    }
    const all = report.passed + report.failures.length;
    summary.push(`${name.padEnd(28)} ${String(report.passed).padStart(5)} / ${all}`);
    passed += report.passed;
    total += all;
  }
  for (const line of summary) write(line);
  write(`${'all'.padEnd(28)} ${String(passed).padStart(5)} / ${total}`);
}

await main();
