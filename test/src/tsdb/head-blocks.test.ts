// Blocks of a head that goes on growing.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyDirectory } from '../../../src/tools/tsdb/verify/verify-directory.ts';
import { Block } from '../../../src/tsdb/block/block.ts';
import { writeHeadBlock } from '../../../src/tsdb/head-blocks.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { BLOCK_START, contents, newTestHead, put } from '../../fakes/test-db.ts';
import { toolContext } from '../../fakes/tool-context.ts';

test('a block of a range holds nothing that was appended behind it meanwhile', async () => {
  const head = newTestHead();
  const series = Array.from({ length: 20 }, (_, i) => ({ __name__: 'm', i: String(i) }));
  for (const labels of series)
    await put(head, labels, [
      [BLOCK_START, 1],
      [BLOCK_START + 1000, 2],
    ]);
  const dir = temporaryDirectory();
  let time = 0;
  const written = writeHeadBlock(
    head,
    dir,
    { minTime: BLOCK_START, maxTime: BLOCK_START + 1001 },
    // So much passes between two series that each is followed by a pause.
    { ulid: '01HF7YAT00ABCDEFGHJKMNPQRS', monotonic: () => (time += 100) },
  );
  for (let i = 2; i < 6; i++) {
    for (const labels of series) await put(head, labels, [[BLOCK_START + i * 1000, i]]);
    await new Promise(resolve => setImmediate(resolve));
  }
  expect(await written).toMatchObject({ stats: { numSeries: 20, numSamples: 40 } });
  expect((await verifyDirectory(dir, toolContext())).findings.kept).toEqual([]);
  const block = await Block.open(join(dir, '01HF7YAT00ABCDEFGHJKMNPQRS'));
  const found = await contents(block);
  const expected = [`${BLOCK_START}:1`, `${BLOCK_START + 1000}:2`];
  expect([...found.values()]).toEqual(series.map(() => expected));
  await block.close();
});
