import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../src/encoding/crc32c.ts';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { verifyDirectory } from '../../../../src/tools/tsdb/verify/verify-directory.ts';
import { Block, readMeta, writeMeta } from '../../../../src/tsdb/block/block.ts';
import { stored, T0 } from '../../../acceptance/querier.ts';
import { corpusFolder } from '../../../fakes/corpora.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../../fakes/test-blocks.ts';
import { openTestDb, put } from '../../../fakes/test-db.ts';
import { toolContext } from '../../../fakes/tool-context.ts';

async function findingsOf(dir: string): Promise<string[]> {
  const { findings } = await verifyDirectory(dir, toolContext());
  return findings.kept.map(({ severity, text }) => `${severity}: ${text.replaceAll(dir, '.')}`);
}

async function smallBlock(dir: string = temporaryDirectory()): Promise<string> {
  return await writeTestBlock(dir, [
    stored({ __name__: 'a', host: 'x' }, [1, 2, 3]),
    stored({ __name__: 'a', host: 'y' }, [4, 5, 6, 7]),
    stored({ __name__: 'b' }, new Array(130).fill(1.5)),
  ]);
}

describe('verify', () => {
  it('reads everything of a good directory', async () => {
    const dir = temporaryDirectory();
    await smallBlock(dir);
    const db = await openTestDb(dir);
    await put(db, { __name__: 'live' }, [[T0 + 80_000_000, 1]]);
    await db.close();
    const { findings, ...counts } = await verifyDirectory(dir, toolContext());
    expect(findings.kept).toEqual([]);
    expect(counts).toMatchObject({ blocks: 1, series: 3, chunks: 4, samples: 137 });
    expect(counts.log).toMatchObject({ samples: 1 });
  });

  it.each(['index', 'chunks/000001', 'tombstones'])(
    'finds every flipped byte of %s and names the block and the file',
    async name => {
      const block = await smallBlock();
      const path = join(block, name);
      const good = readFileSync(path);
      const missed: number[] = [];
      for (let at = 0; at < good.length; at++) {
        const bad = Buffer.from(good);
        bad[at]! ^= 1 << (at % 8);
        writeFileSync(path, bad);
        const { findings } = await verifyDirectory(block, toolContext());
        const named = findings.kept.some(({ text }) => text.includes(path));
        if (findings.errors === 0 || !named) missed.push(at);
      }
      expect(missed).toEqual([]);
    },
  );

  it('names the offset of each damaged chunk, and reads on behind it', async () => {
    const block = await smallBlock();
    const path = join(block, 'chunks/000001');
    const bytes = readFileSync(path);
    bytes[12]! ^= 1;
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(path, bytes);
    const found = await findingsOf(block);
    expect(found[0]).toBe(
      'error: chunk of series at offset 48 of the index checksum mismatch: ./chunks/000001 at offset 8',
    );
    expect(found[1]).toMatch(/^error: chunk of series .* checksum mismatch: \.\/chunks\/000001/);
    expect(found.slice(2)).toEqual([
      'error: block meta says 4 chunks, there are 2: ./meta.json',
      expect.stringMatching(/^error: block meta says 137 samples, there are \d+: .\/meta.json$/),
    ]);
  });

  it('goes on behind a damaged series', async () => {
    const block = await smallBlock();
    const path = join(block, 'index');
    const bytes = readFileSync(path);
    bytes[50]! ^= 1;
    writeFileSync(path, bytes);
    const { findings, series } = await verifyDirectory(block, toolContext());
    expect(findings.kept[0]!.text).toBe(`index series checksum mismatch: ${path} at offset 48`);
    expect(series).toBe(2);
  });

  it('finds cut and missing files', async () => {
    const cut = await smallBlock();
    const segment = join(cut, 'chunks/000001');
    writeFileSync(segment, readFileSync(segment).subarray(0, -3));
    expect((await findingsOf(cut)).join('\n')).toContain('is longer than its section');
    const none = await smallBlock();
    rmSync(join(none, 'chunks/000001'));
    expect((await findingsOf(none)).join('\n')).toContain('4 chunks lie in segment 1');
    const noIndex = await smallBlock();
    rmSync(join(noIndex, 'index'));
    expect((await findingsOf(noIndex)).join('\n')).toContain('no such file');
    const noMeta = join(temporaryDirectory(), basename(cut));
    cpSync(await smallBlock(), noMeta, { recursive: true });
    rmSync(join(noMeta, 'meta.json'));
    expect(await findingsOf(join(noMeta, '..'))).toEqual([
      `error: read block meta: no such file: ./${basename(cut)}/meta.json`,
    ]);
  });

  it('finds bytes that no series refers to', async () => {
    const block = await smallBlock();
    appendFileSync(join(block, 'chunks/000001'), 'rubbish');
    const [first] = await findingsOf(block);
    expect(first).toMatch(/^error: chunk .*: \.\/chunks\/000001 at offset \d+$/);
  });

  it('holds meta.json against what is there', async () => {
    const dir = temporaryDirectory();
    const block = await smallBlock(dir);
    const meta = await readMeta(block);
    await writeMeta(block, { ...meta, stats: { ...meta.stats, numSeries: 7 } });
    expect(await findingsOf(block)).toEqual([
      'error: block meta says 7 series, there are 3: ./meta.json',
    ]);
    await writeMeta(block, { ...meta, maxTime: meta.maxTime - 60_000 });
    expect(await findingsOf(block)).toEqual([
      expect.stringMatching(/^error: index series has a chunk outside the block: \.\/index at/),
    ]);
    await writeMeta(block, { ...meta, ulid: '01M7Z03CXKGS910JW55H89AVTY' });
    expect(await findingsOf(block)).toEqual([
      'error: block meta names another block, 01M7Z03CXKGS910JW55H89AVTY: ./meta.json',
    ]);
  });

  it('finds lists that do not say what the series say, whatever their checksums', async () => {
    const block = await smallBlock();
    const path = join(block, 'index');
    const bytes = readFileSync(path);
    // The list of all three series comes first, then that of __name__="a": two of them.
    const postings = Number(bytes.readBigUInt64BE(bytes.length - 20));
    const list = postings + 4 + 4 + 3 * 4 + 4;
    expect([bytes.readUInt32BE(list), bytes.readUInt32BE(list + 4)]).toEqual([12, 2]);
    const third = bytes.readUInt32BE(postings + 16);
    bytes.writeUInt32BE(third, list + 12);
    bytes.writeUInt32BE(crc32c(bytes.subarray(list + 4, list + 16)), list + 16);
    writeFileSync(path, bytes);
    expect(await findingsOf(block)).toEqual([
      `error: index postings list of __name__="a" differs from the series: ./index at offset ${list}`,
    ]);
  });

  it('finds chunks that do not hold the times the index says, whatever their checksums', async () => {
    const block = await smallBlock();
    const path = join(block, 'chunks/000001');
    const bytes = readFileSync(path);
    // Header, length, encoding, count, then the first time as a varint: zig-zag, seven bits a byte.
    const [start, length] = [8, bytes[8]!];
    bytes[start + 4]! += 2;
    const end = start + 2 + length;
    bytes.writeUInt32BE(crc32c(bytes.subarray(start + 1, end)), end);
    writeFileSync(path, bytes);
    expect(await findingsOf(block)).toEqual([
      `error: chunk has samples from ${T0 + 1} to ${T0 + 30_001}, series at offset 48 of the index says ` +
        `${T0} to ${T0 + 30_000}: ./chunks/000001 at offset 8`,
    ]);
  });

  it('takes a block with deletions', async () => {
    const path = await smallBlock();
    const block = await Block.open(path);
    await block.delete(T0, T0 + 20_000, [new Matcher('=', '__name__', 'a')]);
    await block.close();
    expect(await findingsOf(path)).toEqual([]);
  });

  it('notes overlaps and leftovers without calling them errors', async () => {
    const dir = temporaryDirectory();
    const first = basename(await smallBlock(dir));
    const second = basename(await smallBlock(dir));
    cpSync(join(dir, first), join(dir, `${first}.tmp-for-deletion`), { recursive: true });
    expect(await findingsOf(dir)).toEqual([
      `note: blocks ${first} and ${second} overlap in time: .`,
      `note: left over or set aside: ./${first}.tmp-for-deletion`,
    ]);
  });

  it('finds damage in the log, and takes an unfinished end for what it is', async () => {
    const dir = temporaryDirectory();
    for (let run = 0; run < 2; run++) {
      const db = await openTestDb(dir);
      await put(db, { __name__: 'live' }, [[T0 + run, run]]);
      await db.close();
    }
    const segments = readdirSync(join(dir, 'wal')).sort();
    const last = join(dir, 'wal', segments.at(-1)!);
    const whole = readFileSync(last);
    writeFileSync(last, whole.subarray(0, whole.length - 2));
    const torn = await findingsOf(dir);
    expect(torn).toEqual([
      expect.stringMatching(/^note: log ends inside a record: .*at offset 0$/),
    ]);
    writeFileSync(last, whole);
    const first = join(dir, 'wal', segments[0]!);
    const bytes = readFileSync(first);
    bytes[9]! ^= 1;
    writeFileSync(first, bytes);
    const damaged = await findingsOf(dir);
    expect(damaged[0]).toMatch(/^error: log segment .*: \.\/wal\/00000000 at offset 0$/);
  });

  it('misses log segments', async () => {
    const dir = temporaryDirectory();
    for (let run = 0; run < 4; run++) {
      const db = await openTestDb(dir);
      await put(db, { __name__: 'live' }, [[T0 + run, run]]);
      await db.close();
    }
    const segments = readdirSync(join(dir, 'wal')).sort();
    rmSync(join(dir, 'wal', segments[1]!));
    expect((await findingsOf(dir)).filter(text => text.startsWith('error'))).toEqual([
      'error: log segment 1 is missing before: ./wal/00000002',
    ]);
  });
});

const corpus = corpusFolder('tsdb-golden-blocks');
const missing = corpus ? '' : ' (skipped: the block corpus is not on this machine)';

describe.skipIf(!corpus)(`blocks of other writers${missing}`, () => {
  it.each([
    ['prometheus-index-v1', 102],
    ['victoriametrics-apptest/thanos-snapshot', 12],
    ['victoriametrics-apptest/mimir-tsdb/anonymous', 100],
    ['victoriametrics-apptest/prometheus/snapshots/20250602T205846Z-7e03e43cf46dda03', 2434],
  ])('%s has no errors', async (name, count) => {
    const { findings, series } = await verifyDirectory(join(corpus!, name), toolContext());
    expect(findings.kept.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(series).toBe(count);
  });
});
