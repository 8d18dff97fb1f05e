// A worker that has begun to write when it fails in the way its environment asks for: an error nobody
// catches, an end without an answer, or no end.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import type { BlockJob } from '../../../src/tsdb/block-jobs/block-job.ts';

const { parentDir, ulid, dirs } = workerData as BlockJob;

const half = join(parentDir, `${ulid}.tmp-for-creation`);
mkdirSync(half, { recursive: true });
writeFileSync(join(half, 'index'), 'half');
const [way] = dirs;
if (way === 'throw') throw new TypeError('injected');
if (way === 'exit') process.exit(3);
if (way === 'rename') {
  // Done on disk, but the answer never comes.
  mkdirSync(join(parentDir, ulid));
  process.exit(0);
}
if (way === 'memory') {
  const kept: object[] = [];
  for (;;) kept.push({ kept: kept.length });
}
setInterval(() => {}, 1000);
