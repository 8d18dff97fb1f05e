import { chmod, readdir, readFile, stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Labels } from '../../../../src/labels/labels.ts';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { OutpostError } from '../../../../src/lifecycle/errors.ts';
import { Block } from '../../../../src/tsdb/block/block.ts';
import { writeBlock } from '../../../../src/tsdb/block/block-writer.ts';
import { linesOf, stored, T0, testQuerier } from '../../../acceptance/querier.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { toSeriesChunks, ulids, writeTestBlock } from '../../../fakes/test-blocks.ts';

for (const [name, residentBytesMax] of [
  ['a block', undefined],
  ['a block whose index is read page by page', 0],
] as const) {
  testQuerier(name, async series => {
    const path = await writeTestBlock(temporaryDirectory(), series);
    const block = await Block.open(path, residentBytesMax === 0 ? { residentBytesMax } : {});
    return { queryable: block, close: () => block.close() };
  });
}

async function read(block: Block, from = 0, to = 2e12, ...names: string[]): Promise<string[]> {
  const querier = block.querier(from, to);
  const name = new Matcher('=~', '__name__', names.join('|') || '.+');
  try {
    return await linesOf(await querier.select([name]));
  } finally {
    querier.close();
  }
}

describe('a block', () => {
  it('says in its meta what it holds', async () => {
    const dir = temporaryDirectory();
    const values = Array.from({ length: 250 }, (_, i) => i);
    const series = [stored({ __name__: 'x' }, values), stored({ __name__: 'y' }, [1])];
    const block = await Block.open(await writeTestBlock(dir, series));
    expect(block.meta.stats).toEqual({
      numSamples: 251,
      numFloatSamples: 251,
      numHistogramSamples: 0,
      numSeries: 2,
      numChunks: 4,
      numTombstones: 0,
    });
    expect(block.meta.minTime).toBe(T0);
    expect(block.meta.maxTime).toBe(T0 + 249 * 15_000 + 1);
    expect(block.meta.compaction.sources).toEqual([basename(block.dir)]);
    let size = 0;
    for (const file of ['index', 'meta.json', 'tombstones', 'chunks/000001']) {
      size += (await stat(join(block.dir, file))).size;
    }
    expect(block.sizeBytes).toBe(size);
    await block.close();
  });

  it('ends before its maxTime, which is exclusive', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, [stored({ __name__: 'x' }, [1, 2])]);
    const block = await Block.open(path);
    expect(await read(block, block.meta.maxTime, 2e12)).toEqual([]);
    expect(await read(block, block.meta.maxTime - 1, 2e12)).toEqual(['x 15:2']);
    expect(await read(block, 0, T0)).toEqual(['x 0:1']);
    expect(await read(block, 0, T0 - 1)).toEqual([]);
    const after = block.querier(block.meta.maxTime, 2e12);
    expect((await after.labelNames([])).values).toEqual([]);
    after.close();
    const last = block.querier(block.meta.maxTime - 1, 2e12);
    expect((await last.labelNames([])).values).toEqual(['__name__']);
    last.close();
    await block.close();
  });

  it('hands over chunks without decoding them', async () => {
    const dir = temporaryDirectory();
    const values = Array.from({ length: 360 }, (_, i) => i);
    const path = await writeTestBlock(dir, [stored({ __name__: 'x' }, values)]);
    const block = await Block.open(path);
    const querier = block.querier(T0 + 120 * 15_000, T0 + 130 * 15_000);
    const set = await querier.select([new Matcher('=', '__name__', 'x')]);
    const [series] = (await set.next())!;
    const chunks = series!.chunks()!;
    expect(chunks.map(chunk => [chunk.minTime, chunk.maxTime, chunk.encoding])).toEqual([
      [T0 + 120 * 15_000, T0 + 239 * 15_000, 1],
    ]);
    querier.close();
    await block.close();
  });

  it('is spread over several segments when chunks need them', async () => {
    const dir = temporaryDirectory();
    const series = Array.from({ length: 30 }, (_, i) =>
      stored(
        { __name__: 'x', n: String(i + 10) },
        Array.from({ length: 240 }, (_, j) => i / (j + 1)),
      ),
    );
    const path = await writeTestBlock(dir, series, { segmentBytesMax: 8192 });
    const segments = await readdir(join(path, 'chunks'));
    expect(segments.length).toBeGreaterThan(3);
    for (const name of segments) {
      expect((await stat(join(path, 'chunks', name))).size).toBeLessThanOrEqual(8192);
    }
    const block = await Block.open(path);
    const lines = await read(block);
    expect(lines).toHaveLength(30);
    expect(lines[29]).toContain(`3585:${29 / 240}`);
    await block.close();
  });

  it('is not written where there is nothing to write', async () => {
    const dir = temporaryDirectory();
    const options = { ulid: ulids.next(), minTime: 0, maxTime: 1, level: 1 };
    expect(await writeBlock(dir, [], options)).toBeNull();
    const empty = [{ labels: Labels.fromObject({ a: 'b' }), chunks: [] }];
    expect(await writeBlock(dir, empty, options)).toBeNull();
    expect(await readdir(dir)).toEqual([]);
  });

  it('leaves nothing behind when writing it fails', async () => {
    const dir = temporaryDirectory();
    const [b, a] = toSeriesChunks([stored({ n: 'a' }, [1]), stored({ n: 'b' }, [1])]).reverse();
    const options = { ulid: ulids.next(), minTime: 0, maxTime: 1, level: 1 };
    await expect(writeBlock(dir, [b!, a!], options)).rejects.toThrow(
      'write index: series out of order: {n="a"}',
    );
    const twice = [{ labels: a!.labels, chunks: [...a!.chunks, ...a!.chunks] }];
    await expect(writeBlock(dir, twice, options)).rejects.toThrow('chunks overlap in time');
    expect(await readdir(dir)).toEqual([]);
  });

  it('stops being written when the signal aborts', async () => {
    const dir = temporaryDirectory();
    const abort = new AbortController();
    function* endless(): Generator<ReturnType<typeof toSeriesChunks>[number]> {
      for (let i = 1e9; ; i++) {
        if (i === 1e9 + 5000) abort.abort();
        yield toSeriesChunks([stored({ n: String(i) }, [1])])[0]!;
      }
    }
    let clock = 0;
    const writing = writeBlock(dir, endless(), {
      ulid: ulids.next(),
      minTime: 0,
      maxTime: 1,
      level: 1,
      signal: abort.signal,
      monotonic: () => clock++,
    });
    await expect(writing).rejects.toMatchObject({ code: 'canceled' });
    expect(await readdir(dir)).toEqual([]);
  });

  it('waits with closing until the last querier is closed, and then refuses', async () => {
    const dir = temporaryDirectory();
    const block = await Block.open(await writeTestBlock(dir, [stored({ __name__: 'x' }, [1])]));
    const querier = block.querier(0, 2e12);
    let closed = false;
    const closing = block.close().then(() => (closed = true));
    const set = await querier.select([new Matcher('=', '__name__', 'x')]);
    expect(await linesOf(set)).toEqual(['x 0:1']);
    expect(closed).toBe(false);
    querier.close();
    await closing;
    expect(() => block.querier(0, 1)).toThrow('read a closed block');
    await expect(querier.labelNames([])).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('names the missing file of what is no block', async () => {
    const dir = temporaryDirectory();
    await expect(Block.open(dir)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('names file and offset of a chunk that is cut off', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, [stored({ __name__: 'x' }, [1, 2, 3])]);
    await truncate(join(path, 'chunks/000001'), 20);
    const block = await Block.open(path);
    await expect(read(block)).rejects.toThrow(
      `chunk longer than its section: ${path}/chunks/000001 at offset 8`,
    );
    await block.close();
  });
});

describe('deleted samples of a block', () => {
  const FIVE = [stored({ __name__: 'x' }, [1, 2, 3, 4, 5]), stored({ __name__: 'y' }, [1, 2])];
  const x = [new Matcher('=', '__name__', 'x')];

  it('are gone from answers, and stay gone when the block is opened anew', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, FIVE);
    const block = await Block.open(path);
    expect(await block.delete(T0 + 15_000, T0 + 30_000, x)).toBe(1);
    const expected = ['x 0:1 45:4 60:5', 'y 0:1 15:2'];
    expect(await read(block)).toEqual(expected);
    await block.close();
    const again = await Block.open(path);
    expect(await read(again)).toEqual(expected);
    expect(again.meta.stats.numTombstones).toBe(1);
    await again.close();
  });

  it('leave no series behind where all of its samples are deleted', async () => {
    const dir = temporaryDirectory();
    const block = await Block.open(await writeTestBlock(dir, FIVE));
    expect(await block.delete(0, 2e12, x)).toBe(1);
    expect(await read(block)).toEqual(['y 0:1 15:2']);
    expect(await block.delete(0, T0 - 1, x)).toBe(0);
    await block.close();
  });

  it('add up over several deletions, also at the same time', async () => {
    const dir = temporaryDirectory();
    const block = await Block.open(await writeTestBlock(dir, FIVE));
    await Promise.all([
      block.delete(T0, T0, x),
      block.delete(T0 + 60_000, T0 + 60_000, x),
      block.delete(T0 + 15_000, T0 + 15_000, x),
    ]);
    expect(await read(block, 0, 2e12, 'x')).toEqual(['x 30:3 45:4']);
    await block.close();
  });

  it('stay visible to queriers opened before', async () => {
    const dir = temporaryDirectory();
    const block = await Block.open(await writeTestBlock(dir, FIVE));
    const querier = block.querier(0, 2e12);
    await block.delete(0, 2e12, x);
    expect(await linesOf(await querier.select(x))).toEqual(['x 0:1 15:2 30:3 45:4 60:5']);
    querier.close();
    await block.close();
  });

  it('are reported as an error where the directory cannot be written', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(dir, FIVE);
    const block = await Block.open(path);
    await chmod(path, 0o500);
    const before = await readFile(join(path, 'meta.json'), 'utf8');
    const failure = await block.delete(0, 2e12, x).catch((error: unknown) => error);
    await chmod(path, 0o700);
    // The superuser may write everywhere.
    if (failure instanceof Error) {
      expect(failure).not.toBeInstanceOf(OutpostError);
      expect(await readFile(join(path, 'meta.json'), 'utf8')).toBe(before);
      expect(await read(block, 0, 2e12, 'x')).toEqual(['x 0:1 15:2 30:3 45:4 60:5']);
    } else expect(process.getuid?.()).toBe(0);
    await block.close();
  });
});
