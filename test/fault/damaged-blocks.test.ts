// Every byte of a small block is flipped, and every file cut at every length: opening and reading it gives
// the right answer or a typed error, quickly, and never anything else.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Matcher } from '../../src/labels/matcher.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { linesOf, stored, T0 } from '../acceptance/querier.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { writeTestBlock } from '../fakes/test-blocks.ts';

const SERIES = [
  stored({ __name__: 'up', job: 'api', instance: 'a:1' }, [1, 2, 3, 4]),
  stored({ __name__: 'up', job: 'db' }, [0.5, 0.25]),
  stored({ __name__: 'up', zone: '\u{1f600}' }, [7]),
];
const FILES = ['index', 'chunks/000001', 'tombstones'];
const SELECTIONS = [
  [],
  [new Matcher('=', 'job', 'api')],
  [new Matcher('=~', 'job', 'a.*|d.')],
  [new Matcher('!=', 'job', 'api')],
];

/** Everything the block answers, as text. */
async function answers(dir: string, residentBytesMax: number): Promise<string> {
  const block = await Block.open(dir, { residentBytesMax });
  const out: unknown[] = [];
  const querier = block.querier(0, 2e12);
  try {
    for (const matchers of SELECTIONS) out.push(await linesOf(await querier.select(matchers)));
    out.push((await querier.labelNames([])).values);
    out.push((await querier.labelNames(SELECTIONS[1]!)).values);
    out.push((await querier.labelValues('job', [])).values);
    out.push((await querier.labelValues('job', [new Matcher('!=', 'zone', 'x')])).values);
  } finally {
    querier.close();
    await block.close();
  }
  return JSON.stringify(out);
}

async function damagedBlock(): Promise<{ dir: string; right: string }> {
  const path = await writeTestBlock(temporaryDirectory(), SERIES);
  const block = await Block.open(path);
  await block.delete(T0, T0, [new Matcher('=', 'job', 'db')]);
  await block.close();
  const dir = temporaryDirectory();
  cpSync(path, dir, { recursive: true });
  return { dir, right: await answers(dir, 1e6) };
}

/** The right answer, or the code of a typed error; fails the test for anything else. */
async function outcome(dir: string, right: string, what: string): Promise<string> {
  const codes = new Set<string>();
  for (const residentBytesMax of [1e6, 0]) {
    const got = await answers(dir, residentBytesMax).catch((error: unknown) => error);
    if (typeof got === 'string') expect(got, what).toBe(right);
    else expect(got, what).toBeInstanceOf(OutpostError);
    codes.add(got instanceof OutpostError ? got.code : 'right');
  }
  return [...codes].join();
}

describe('a damaged block', () => {
  it.each(FILES)('with any byte of its %s flipped', async file => {
    const { dir, right } = await damagedBlock();
    const path = join(dir, file);
    const bytes = readFileSync(path);
    const outcomes = new Map<string, number>();
    for (let i = 0; i < bytes.length; i++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[i]! ^= mask;
        writeFileSync(path, changed);
        const code = await outcome(dir, right, `${file} byte ${i} mask ${mask}`);
        outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
      }
    }
    // Padding and header fill are all a reader does not look at.
    expect([...outcomes.keys()].sort().join(' ')).toMatch(/^corrupt( right)?$/);
    expect(outcomes.get('corrupt')).toBeGreaterThan(bytes.length * 2);
  });

  it.each(FILES)('with its %s cut short anywhere', async file => {
    const { dir, right } = await damagedBlock();
    const path = join(dir, file);
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(await outcome(dir, right, `${file} cut to ${length}`)).toBe('corrupt');
    }
  });

  it('with any byte of its meta flipped or its end missing', async () => {
    const { dir, right } = await damagedBlock();
    const path = join(dir, 'meta.json');
    const bytes = readFileSync(path);
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 0x01;
      for (const damaged of [changed, bytes.subarray(0, i)]) {
        writeFileSync(path, damaged);
        const got = await answers(dir, 1e6).catch((error: unknown) => error);
        // Meta has no checksum: a changed time range is one that answers for what it says.
        if (typeof got === 'string') expect(JSON.parse(got)).toHaveLength(JSON.parse(right).length);
        else expect(got).toMatchObject({ name: 'OutpostError', code: 'corrupt' });
      }
    }
  });

  it('with lengths that ask for gigabytes', async () => {
    const { dir } = await damagedBlock();
    const path = join(dir, 'index');
    const bytes = readFileSync(path);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i + 4 <= bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed.fill(0xff, i, i + 4);
      writeFileSync(path, changed);
      const got = await answers(dir, 1e6).catch((error: unknown) => error);
      if (typeof got !== 'string') expect(got).toMatchObject({ code: 'corrupt' });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    }
  });
});
