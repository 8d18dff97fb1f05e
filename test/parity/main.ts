// Prints how much of node_exporter's metrics the built-in collectors have: npm run parity [-- <directory>],
// the directory being a copy of collector/fixtures of github.com/prometheus/node_exporter with its e2e-output.txt.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exposeRecorded } from './recorded.ts';
import { scoreRecorded } from './scores.ts';

const DEFAULT = fileURLToPath(new URL('../../../shared/corpora/node-exporter', import.meta.url));
const corpus = process.argv[2] ?? DEFAULT;
if (!existsSync(join(corpus, 'e2e-output.txt'))) {
  process.stderr.write(
    `no e2e-output.txt in ${corpus}: give a directory with node_exporter's fixtures\n`,
  );
  process.exitCode = 2;
} else {
  const recorded = readFileSync(join(corpus, 'e2e-output.txt'), 'utf8');
  const scores = scoreRecorded(await exposeRecorded(corpus), recorded);
  for (const { title, wanted, found, missing } of scores) {
    const share = ((100 * found) / wanted).toFixed(1);
    process.stdout.write(`${title}: ${found} of ${wanted} (${share} %)\n`);
    for (const each of missing) process.stdout.write(`  missing: ${each}\n`);
  }
}
