import { existsSync } from 'node:fs';
import { chmod, cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { SampleColumns } from '../../../../src/storage/samples.ts';
import type { Series } from '../../../../src/storage/series.ts';
import { Block } from '../../../../src/tsdb/block/block.ts';
import { openColdBlock } from '../../../../src/tsdb/cold/cold-block.ts';
import { freezeBlock, thawBlock } from '../../../../src/tsdb/cold/freeze.ts';
import { PageCache } from '../../../../src/tsdb/cold/page-cache.ts';
import {
  linesOf,
  type StoredSeries,
  stored,
  T0,
  testQuerier,
} from '../../../acceptance/querier.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../../fakes/test-blocks.ts';

/** A block of the series and its cold twin's directory. */
async function frozen(series: readonly StoredSeries[]): Promise<{ warm: string; cold: string }> {
  const warm = await writeTestBlock(temporaryDirectory(), series);
  return { warm, cold: await freeze(warm) };
}

async function freeze(warm: string): Promise<string> {
  const parent = temporaryDirectory();
  const block = await Block.open(warm);
  const meta = await freezeBlock(block, parent);
  await block.close();
  return join(parent, meta!.ulid);
}

for (const [name, options] of [
  ['a cold block', {}],
  ['a cold block without cache', { residentBytesMax: 0, cache: new PageCache(1) }],
] as const) {
  testQuerier(name, async series => {
    const { cold } = await frozen(series);
    const block = await openColdBlock(cold, options);
    return { queryable: block, close: () => block.close() };
  });
}

const ANY = new Matcher('=~', '__name__', '.+');

async function visit(block: Block, from: number, to: number, see: (s: Series) => void) {
  const querier = block.querier(from, to);
  const set = await querier.select([]);
  for (let batch = await set.next(); batch; batch = await set.next()) batch.forEach(see);
  querier.close();
}

async function lines(block: Block, from = -Infinity, to = Infinity): Promise<string[]> {
  const querier = block.querier(from, to);
  try {
    return await linesOf(await querier.select([ANY]));
  } finally {
    querier.close();
  }
}

/** Three hosts scraped a little late, a series that comes later, one that is seldom, one that is odd. */
function fleet(): StoredSeries[] {
  const late = (host: number): number[] =>
    Array.from({ length: 3000 }, (_, i) => T0 + i * 15_000 + ((i * 7 + host) % 4));
  const hosts = [0, 1, 2].flatMap(host =>
    ['cpu', 'disk', 'load'].map((name, k) => ({
      labels: { __name__: name, host: String(host) },
      times: late(host),
      values: Float64Array.from({ length: 3000 }, (_, i) => (i * (k + 1) + host) / 10 ** k),
    })),
  );
  const odd = new BigUint64Array(400).map((_, i) => BigInt(i) * 0x0123456789abcdefn);
  return [
    ...hosts,
    { labels: { __name__: 'later' }, times: late(0).slice(1234), values: new Float64Array(1766) },
    stored({ __name__: 'odd' }, [...new Float64Array(odd.buffer)]),
    { labels: { __name__: 'seldom' }, times: [T0, T0 + 40_000_000], values: Float64Array.of(1, 2) },
  ];
}

describe('a cold block', () => {
  it('holds what its block held, in any range', async () => {
    const { warm, cold } = await frozen(fleet());
    const blocks = [await Block.open(warm), await openColdBlock(cold)] as const;
    for (const [from, to] of [
      [-Infinity, Infinity],
      [T0, T0],
      [T0 + 7_000_000, T0 + 9_000_000],
      [T0 + 44_985_001, T0 + 50_000_000],
    ] as const) {
      expect(await lines(blocks[1], from, to)).toEqual(await lines(blocks[0], from, to));
    }
    expect(blocks[1].meta).toMatchObject({
      ulid: blocks[0].meta.ulid,
      minTime: blocks[0].meta.minTime,
      maxTime: blocks[0].meta.maxTime,
      compaction: blocks[0].meta.compaction,
    });
    expect(blocks[1].meta.stats.numSamples).toBe(9 * 3000 + 1766 + 400 + 2);
    expect(blocks[1].sizeBytes).toBeLessThan(blocks[0].sizeBytes / 4);
    for (const block of blocks) await block.close();
  });

  it('hands over XOR chunks that Prometheus knows, of the range that is asked for', async () => {
    const { cold } = await frozen(fleet());
    const block = await openColdBlock(cold);
    const found: unknown[] = [];
    await visit(block, T0 + 3_600_000, T0 + 3_600_000, series => {
      if (series.label('__name__') !== 'cpu' || series.label('host') !== '0') return;
      found.push(...series.chunks()!.map(({ encoding, data }) => [encoding, data[0], data[1]]));
    });
    expect(found).toEqual([[1, 0, 120]]);
    await block.close();
  });

  it('thaws into the block it was', async () => {
    const { warm, cold } = await frozen(fleet());
    const parent = temporaryDirectory();
    const block = await openColdBlock(cold);
    const meta = await thawBlock(block, parent);
    await block.close();
    expect(meta!.compaction).toEqual(block.meta.compaction);
    const blocks = [
      await Block.open(warm),
      await Block.open(join(parent, basename(warm))),
    ] as const;
    expect(await lines(blocks[1])).toEqual(await lines(blocks[0]));
    expect(blocks[1].meta.stats.numSamples).toBe(blocks[0].meta.stats.numSamples);
    for (const one of blocks) await one.close();
  });

  it('keeps the bits of staleness markers, other NaN, −0 and infinities', async () => {
    const bits = BigUint64Array.of(
      0x7ff0000000000002n,
      0x8000000000000000n,
      0x7ff8000000000001n,
      0xfff0000000000000n,
      0x7ff0000000000000n,
      0xfff8000000000abcn,
      0n,
    );
    const series = {
      ...stored({ n: 'x' }, Array(7).fill(0)),
      values: new Float64Array(bits.buffer),
    };
    const { cold } = await frozen([series]);
    const block = await openColdBlock(cold);
    const columns = new SampleColumns();
    await visit(block, -Infinity, Infinity, one => one.samples(columns));
    expect(new BigUint64Array(columns.values.slice(0, 7).buffer)).toEqual(bits);
    await block.close();
  });

  it('keeps histogram chunks byte by byte', async () => {
    const path = fileURLToPath(new URL('../fixtures/prometheus-histograms/block', import.meta.url));
    const chunksOf = async (block: Block): Promise<unknown[]> => {
      const chunks: unknown[] = [];
      await visit(block, -Infinity, Infinity, series => {
        for (const { minTime, maxTime, encoding, data } of series.chunks()!)
          chunks.push([minTime, maxTime, encoding, Buffer.from(data).toString('hex')]);
      });
      return chunks;
    };
    const warm = await Block.open(path);
    const cold = await openColdBlock(await freeze(path));
    expect(await chunksOf(cold)).toEqual(await chunksOf(warm));
    expect(cold.meta.stats).toEqual({ ...warm.meta.stats, numTombstones: 0 });
    await warm.close();
    await cold.close();
  });

  it('leaves out what was deleted, and can delete more', async () => {
    const dir = await writeTestBlock(temporaryDirectory(), [
      stored({ __name__: 'a' }, [1, 2, 3, 4]),
      stored({ __name__: 'b' }, [1, 2, 3, 4]),
    ]);
    const warm = await Block.open(dir);
    await warm.delete(T0, T0 + 15_000, [new Matcher('=', '__name__', 'a')]);
    await warm.delete(T0, T0 + 99_000, [new Matcher('=', '__name__', 'b')]);
    await warm.close();
    const cold = await freeze(dir);
    let block = await openColdBlock(cold);
    expect(await lines(block)).toEqual(['a 30:3 45:4']);
    expect(block.meta.stats).toMatchObject({ numSeries: 1, numSamples: 2, numTombstones: 0 });
    expect(await block.delete(T0 + 45_000, T0 + 99_000, [ANY])).toBe(1);
    await block.close();
    block = await openColdBlock(cold);
    expect(await lines(block)).toEqual(['a 30:3']);
    expect(block.meta.stats.numTombstones).toBe(1);
    await block.close();
  });

  it('is nothing that Prometheus could take for a block', async () => {
    const { cold } = await frozen(fleet());
    expect((await readdir(cold)).sort()).toEqual([
      'chunks.pages',
      'cold.json',
      'index.pages',
      'tombstones',
    ]);
    await expect(Block.open(cold)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is not written where everything is deleted', async () => {
    const warm = await Block.open(
      await writeTestBlock(temporaryDirectory(), [stored({ __name__: 'a' }, [1, 2])]),
    );
    await warm.delete(0, 2e12, [ANY]);
    const parent = temporaryDirectory();
    expect(await freezeBlock(warm, parent)).toBeNull();
    expect(await readdir(parent)).toEqual([]);
    await warm.close();
  });

  it('leaves nothing behind when freezing is given up', async () => {
    const warm = await Block.open(await writeTestBlock(temporaryDirectory(), fleet()));
    const parent = temporaryDirectory();
    const signal = AbortSignal.abort();
    await expect(freezeBlock(warm, parent, { signal })).rejects.toMatchObject({ code: 'canceled' });
    expect(await readdir(parent)).toEqual([]);
    await warm.close();
  });

  it('refuses every damaged byte, or reads what was written', async () => {
    const { cold } = await frozen(fleet());
    const whole = await openColdBlock(cold);
    const expected = await lines(whole);
    await whole.close();
    const damaged = join(temporaryDirectory(), basename(cold));
    await cp(cold, damaged, { recursive: true });
    let refused = 0;
    for (const file of ['index.pages', 'chunks.pages/000001']) {
      const path = join(damaged, file);
      await chmod(path, 0o644);
      const bytes = await readFile(path);
      const every = Math.ceil(bytes.length / 150);
      for (let at = 0; at < bytes.length; at += every) {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= 1 << (at % 8);
        await writeFile(path, changed);
        const answer = await readAll(damaged);
        if (answer === 'corrupt') refused++;
        else expect(answer, `${file} at ${at}`).toEqual(expected);
      }
      await writeFile(path, bytes.subarray(0, bytes.length - 1));
      expect(await readAll(damaged)).toBe('corrupt');
      await writeFile(path, bytes);
    }
    expect(refused).toBeGreaterThan(200);
    expect(existsSync(damaged) && (await stat(damaged)).isDirectory()).toBe(true);
  });
});

async function readAll(dir: string): Promise<string[] | string> {
  try {
    const block = await openColdBlock(dir);
    try {
      return await lines(block);
    } finally {
      await block.close();
    }
  } catch (error) {
    return (error as { code: string }).code;
  }
}
