import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Matcher } from '../../../src/labels/matcher.ts';
import { Block } from '../../../src/tsdb/block/block.ts';
import { snapshotBlocks } from '../../../src/tsdb/snapshot.ts';
import { linesOf, stored } from '../../acceptance/querier.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../fakes/test-blocks.ts';

async function linesOfBlock(dir: string): Promise<string[]> {
  const block = await Block.open(dir);
  const querier = block.querier(0, 2e12);
  const lines = await linesOf(await querier.select([]));
  querier.close();
  await block.close();
  return lines;
}

describe('a snapshot', () => {
  it('shares its files with the blocks, and keeps what is deleted from them later', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, [stored({ n: 'x' }, [1, 2])]);
    const target = join(dir, 'snapshots', 'one');
    await snapshotBlocks([path], target);
    const copy = join(target, basename(path));
    for (const file of ['index', 'chunks/000001', 'meta.json', 'tombstones']) {
      expect(statSync(join(copy, file)).ino).toBe(statSync(join(path, file)).ino);
    }
    const block = await Block.open(path);
    await block.delete(0, 2e12, [new Matcher('=', 'n', 'x')]);
    await block.close();
    expect(await linesOfBlock(path)).toEqual([]);
    expect(await linesOfBlock(copy)).toEqual(['{n="x"} 0:1 15:2']);
  });

  it('copies where the file system has no hard links', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, [stored({ n: 'x' }, [1, 2])]);
    const target = join(dir, 'snapshot');
    await snapshotBlocks([path], target, () =>
      Promise.reject(Object.assign(new Error('cross-device link'), { code: 'EXDEV' })),
    );
    const copy = join(target, basename(path));
    expect(statSync(join(copy, 'index')).ino).not.toBe(statSync(join(path, 'index')).ino);
    expect(await linesOfBlock(copy)).toEqual(['{n="x"} 0:1 15:2']);
  });

  it('reports other failures', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, [stored({ n: 'x' }, [1])]);
    const target = join(dir, 'snapshot');
    const full = (): Promise<void> =>
      Promise.reject(Object.assign(new Error('disk is full'), { code: 'ENOSPC' }));
    await expect(snapshotBlocks([path], target, full)).rejects.toThrow('disk is full');
    expect(existsSync(join(path, 'index'))).toBe(true);
  });
});
