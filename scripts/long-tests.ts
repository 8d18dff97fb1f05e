// Runs the fault tests in their long form: `npm run test:kills`, or with another number of kills
// `npm run test:kills -- 50`.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FILES = ['kill', 'delete-kill', 'block-jobs', 'failing-block-disk', 'checkpoint-damage'];

const rounds = process.argv[2] ?? '200';
if (!/^[1-9]\d*$/.test(rounds)) throw new Error(`${rounds} is no number of kills`);
const { status } = spawnSync(
  'vitest',
  ['run', ...FILES.map(name => `test/fault/${name}.test.ts`)],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, OUTPOST_KILL_ROUNDS: rounds },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
