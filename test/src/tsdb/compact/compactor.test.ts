import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { SampleColumns } from '../../../../src/storage/samples.ts';
import { isStaleAt, setStale } from '../../../../src/storage/stale.ts';
import { Block } from '../../../../src/tsdb/block/block.ts';
import { writeBlock } from '../../../../src/tsdb/block/block-writer.ts';
import { compactBlocks } from '../../../../src/tsdb/compact/compactor.ts';
import { linesOf, stored, T0 } from '../../../acceptance/querier.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { toSeriesChunks, ulids, writeTestBlock } from '../../../fakes/test-blocks.ts';

async function linesOfBlock(dir: string): Promise<string[]> {
  const block = await Block.open(dir);
  const querier = block.querier(0, 2e12);
  const lines = await linesOf(await querier.select([]));
  querier.close();
  await block.close();
  return lines;
}

async function compact(parent: string, ...dirs: string[]): Promise<string> {
  const meta = await compactBlocks(dirs, parent, { ulid: ulids.next() });
  return join(parent, meta!.ulid);
}

describe('compactBlocks', () => {
  it('appends the chunks of later blocks to those of earlier ones', async () => {
    const dir = temporaryDirectory();
    const a = await writeTestBlock(dir, [
      stored({ n: 'a' }, [1, 2]),
      stored({ n: 'both' }, [1, 2]),
    ]);
    const b = await writeTestBlock(dir, [
      stored({ n: 'b' }, [5], T0 + 60_000),
      stored({ n: 'both' }, [3], T0 + 60_000),
    ]);
    const merged = await compact(dir, a, b);
    expect(await linesOfBlock(merged)).toEqual([
      '{n="a"} 0:1 15:2',
      '{n="b"} 60:5',
      '{n="both"} 0:1 15:2 60:3',
    ]);
    const block = await Block.open(merged);
    expect(block.meta.stats.numChunks).toBe(4);
    expect(block.meta.minTime).toBe(T0);
    expect(block.meta.maxTime).toBe(T0 + 60_001);
    expect(block.meta.compaction.level).toBe(2);
    expect(block.meta.compaction.sources).toEqual([a, b].map(path => basename(path)));
    expect(block.meta.compaction.parents).toEqual([
      { ulid: basename(a), minTime: T0, maxTime: T0 + 15_001 },
      { ulid: basename(b), minTime: T0 + 60_000, maxTime: T0 + 60_001 },
    ]);
    await block.close();
  });

  it('merges overlapping series sample by sample; at equal times the first block wins', async () => {
    const dir = temporaryDirectory();
    const a = await writeTestBlock(dir, [stored({ n: 'x' }, [1, 2, 3])]);
    const b = await writeTestBlock(dir, [stored({ n: 'x' }, [20, 30, 40], T0 + 15_000)]);
    const c = await writeTestBlock(dir, [stored({ n: 'x' }, [7], T0 + 20_000)]);
    expect(await linesOfBlock(await compact(dir, a, b, c))).toEqual([
      '{n="x"} 0:1 15:2 20:7 30:3 45:40',
    ]);
  });

  it('cuts merged samples into chunks of at most 120', async () => {
    const dir = temporaryDirectory();
    const values = Array.from({ length: 200 }, (_, i) => i);
    const a = await writeTestBlock(dir, [stored({ n: 'x' }, values)]);
    const b = await writeTestBlock(dir, [stored({ n: 'x' }, values, T0 + 7500)]);
    const block = await Block.open(await compact(dir, a, b));
    const querier = block.querier(0, 2e12);
    const [series] = (await (await querier.select([])).next())!;
    const chunks = series!.chunks()!;
    expect(chunks.map(chunk => (chunk.data[0]! << 8) | chunk.data[1]!)).toEqual([
      120, 120, 120, 40,
    ]);
    querier.close();
    await block.close();
  });

  it('stores the same chunk once', async () => {
    const dir = temporaryDirectory();
    const series = [stored({ n: 'x' }, [1, 2, 3])];
    const a = await writeTestBlock(dir, series);
    const b = await writeTestBlock(dir, series);
    const block = await Block.open(await compact(dir, a, b));
    expect(block.meta.stats.numSamples).toBe(3);
    expect(block.meta.stats.numChunks).toBe(1);
    await block.close();
  });

  it('leaves out what is deleted, and keeps staleness markers', async () => {
    const dir = temporaryDirectory();
    const series = stored({ n: 'x' }, [1, 2, 3, 4]);
    setStale(series.values, 3);
    const path = await writeTestBlock(dir, [series, stored({ n: 'y' }, [1])]);
    const source = await Block.open(path);
    await source.delete(T0 + 15_000, T0 + 15_000, [new Matcher('=', 'n', 'x')]);
    await source.delete(0, 2e12, [new Matcher('=', 'n', 'y')]);
    await source.close();
    const block = await Block.open(await compact(dir, path));
    expect(block.meta.stats).toMatchObject({ numSeries: 1, numSamples: 3, numTombstones: 0 });
    const querier = block.querier(0, 2e12);
    const columns = new SampleColumns();
    (await (await querier.select([])).next())![0]!.samples(columns);
    expect([...columns.values.subarray(0, 2)]).toEqual([1, 3]);
    expect(isStaleAt(columns.values, 2)).toBe(true);
    querier.close();
    await block.close();
  });

  it('writes nothing where everything is deleted', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, [stored({ n: 'x' }, [1])]);
    const source = await Block.open(path);
    await source.delete(0, 2e12, []);
    await source.close();
    const target = temporaryDirectory();
    expect(await compactBlocks([path], target, { ulid: ulids.next() })).toBeNull();
    expect(readdirSync(target)).toEqual([]);
  });

  it('keeps a hint only where all sources have it', async () => {
    const dir = temporaryDirectory();
    const series = [stored({ n: 'x' }, [1])];
    const hints = ['from-out-of-order'];
    const a = await writeTestBlock(dir, series, { hints });
    const b = await writeTestBlock(dir, series, { hints });
    const c = await writeTestBlock(dir, series);
    const hintsOf = async (path: string): Promise<readonly string[]> => {
      const block = await Block.open(path);
      await block.close();
      return block.meta.compaction.hints;
    };
    expect(await hintsOf(await compact(dir, a, b))).toEqual(hints);
    expect(await hintsOf(await compact(dir, a, c))).toEqual([]);
  });

  it('carries chunks over whose encoding it does not know', async () => {
    const dir = temporaryDirectory();
    const foreign = toSeriesChunks([stored({ n: 'x' }, [1, 2])]).map(({ labels, chunks }) => ({
      labels,
      chunks: chunks.map(chunk => ({ ...chunk, encoding: 77 })),
    }));
    const options = { ulid: ulids.next(), minTime: T0, maxTime: T0 + 20_000, level: 1 };
    const meta = await writeBlock(dir, foreign, options);
    const block = await Block.open(await compact(dir, join(dir, meta!.ulid)));
    const querier = block.querier(0, 2e12);
    const [series] = (await (await querier.select([])).next())!;
    expect(series!.chunks()!.map(({ encoding }) => encoding)).toEqual([77]);
    querier.close();
    await block.close();
  });

  it('gives way to the event loop while it works', async () => {
    const dir = temporaryDirectory();
    const series = Array.from({ length: 400 }, (_, i) =>
      stored(
        { n: String(i + 1000) },
        Array.from({ length: 300 }, (_, j) => j * i),
      ),
    );
    const a = await writeTestBlock(dir, series);
    const b = await writeTestBlock(
      dir,
      series.map(one => ({ ...one, times: one.times.map(time => time + 1) })),
    );
    let turns = 0;
    let working = true;
    const count = (): void => {
      turns++;
      if (working) setImmediate(count);
    };
    setImmediate(count);
    let clock = 0;
    // Each look at the clock moves it by 1 ms, so every tenth series ends a slice.
    const monotonic = (): number => clock++;
    await compactBlocks([a, b], dir, { ulid: ulids.next(), monotonic });
    working = false;
    expect(turns).toBeGreaterThan(40);
  });
});
