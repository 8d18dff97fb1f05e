// Prometheus' own tools see cold blocks neither by mistake nor by name, and read what thaws from them.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Block } from '../../src/tsdb/block/block.ts';
import { COLD_FOLDER, openColdBlock } from '../../src/tsdb/cold/cold-block.ts';
import { freezeBlock, thawBlock } from '../../src/tsdb/cold/freeze.ts';
import { stored } from '../acceptance/querier.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { writeTestBlock } from '../fakes/test-blocks.ts';

const installed = spawnSync('promtool', ['--version']).status === 0;
const missing = installed ? '' : ' (skipped: promtool is not installed)';

function promtool(...args: string[]): string[] {
  const run = spawnSync('promtool', ['tsdb', ...args], { encoding: 'utf8' });
  expect({ args, status: run.status, stderr: run.stderr }).toEqual({ args, status: 0, stderr: '' });
  return run.stdout.trimEnd().split('\n');
}

describe.skipIf(!installed)(`promtool tsdb${missing}`, () => {
  it('passes cold blocks by and reads the thawed one as the first', async () => {
    const data = temporaryDirectory();
    const thawed = temporaryDirectory();
    for (const dir of [data, thawed]) mkdirSync(join(dir, 'wal'));
    const values = Array.from({ length: 700 }, (_, i) => (i % 50) / 4);
    const path = await writeTestBlock(data, [
      stored({ __name__: 'a', mode: 'idle' }, values),
      stored({ __name__: 'b' }, [1, 2, 3]),
    ]);
    const before = promtool('dump', data);
    expect(before).toHaveLength(703);
    const cold = join(data, COLD_FOLDER);
    mkdirSync(cold);
    const block = await Block.open(path);
    const meta = await freezeBlock(block, cold);
    await block.close();
    expect(promtool('dump', data)).toEqual(before);
    expect(promtool('list', data)).toHaveLength(2);
    const frozen = await openColdBlock(join(cold, meta!.ulid));
    await thawBlock(frozen, thawed);
    await frozen.close();
    expect(promtool('dump', thawed)).toEqual(before);
  });
});
