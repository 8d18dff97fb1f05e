import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../../../src/tools/tsdb/analyze.ts';
import { formatBlocks, listBlocks } from '../../../../src/tools/tsdb/block-list.ts';
import { blockDirectories } from '../../../../src/tools/tsdb/read-only-database.ts';
import { blockFacts } from '../../../../src/tools/tsdb/series-facts.ts';
import {
  restoreSnapshot,
  snapshotDirectory,
} from '../../../../src/tools/tsdb/snapshot-directory.ts';
import { verifyDirectory } from '../../../../src/tools/tsdb/verify/verify-directory.ts';
import { isUlid } from '../../../../src/tsdb/block/ulid.ts';
import { inProcessJobs } from '../../../../src/tsdb/block-jobs/block-job.ts';
import { blocksDirectory, COLD_OPTIONS } from '../../../fakes/cold-directory.ts';
import { dumped } from '../../../fakes/directory-tools.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { openTestDb } from '../../../fakes/test-db.ts';
import { toolContext } from '../../../fakes/tool-context.ts';

/** The same blocks, all standard and five of eight cold. */
let standard: string;
let mixed: string;

beforeAll(async () => {
  standard = await blocksDirectory();
  mixed = temporaryDirectory();
  cpSync(standard, mixed, { recursive: true });
  const db = await openTestDb(mixed, { ...COLD_OPTIONS, jobs: inProcessJobs });
  await db.maintain();
  await db.close();
});

function copyOf(dir: string): string {
  const copy = temporaryDirectory();
  cpSync(dir, copy, { recursive: true });
  return copy;
}

describe('tools over a directory with cold blocks', () => {
  it('list them, marked, and smaller', async () => {
    const { clock } = toolContext();
    const warm = (await listBlocks(standard, clock)).rows;
    const { rows, unreadable } = await listBlocks(mixed, clock);
    expect(unreadable).toEqual([]);
    const names = warm.map(({ name }, i) => (i < 5 ? `${name} (cold)` : name));
    expect(rows.map(({ name }) => name)).toEqual(names);
    expect(rows.map(({ samples }) => samples)).toEqual(warm.map(({ samples }) => samples));
    for (const i of [0, 1, 2, 3, 4]) expect(rows[i]!.bytes).toBeLessThan(warm[i]!.bytes);
    expect(formatBlocks(rows, false)).toContain(`${warm[0]!.name} (cold)  `);
  });

  it('dump the same', async () => {
    expect((await dumped(mixed)).text).toBe((await dumped(standard)).text);
  });

  it('analyse them', async () => {
    const path = blockDirectories(mixed)[0]!;
    expect(path).toContain(join(mixed, 'cold'));
    const source = await blockFacts(path);
    const samples: number[] = [];
    const options = {
      matchers: [],
      chunks: true,
      signal: new AbortController().signal,
      progress: () => {},
    };
    await source.visit(options, facts => {
      samples.push(facts.chunkSamples.reduce((a, b) => a + b, 0));
    });
    expect(samples).toEqual([480, 480, 480]);
    const analysis = await analyze(source, options);
    expect([analysis.series, analysis.labelNames, analysis.pairs]).toEqual([3, 2, 4]);
  });

  it('find nothing wrong with whole ones', async () => {
    const warm = await verifyDirectory(standard, toolContext());
    const found = await verifyDirectory(mixed, toolContext());
    expect(found.findings.kept).toEqual([]);
    expect([found.blocks, found.series, found.samples]).toEqual([8, 24, warm.samples]);
    const one = await verifyDirectory(blockDirectories(mixed)[0]!, toolContext());
    expect([one.blocks, one.series, one.samples]).toEqual([1, 3, 1440]);
    expect(one.findings.errors).toBe(0);
  });

  it('name a flipped bit wherever it is', async () => {
    const files = ['cold.json', 'index.pages', 'chunks.pages/000001', 'tombstones'];
    for (const file of files) {
      const dir = copyOf(blockDirectories(mixed)[0]!);
      const path = join(dir, file);
      const size = readFileSync(path).length;
      for (const at of [0, 9, Math.floor(size / 2), size - 1]) {
        const bytes = readFileSync(path);
        if (at >= size) continue;
        bytes[at]! ^= 0x40;
        writeFileSync(path, bytes);
        const { findings } = await verifyDirectory(dir, toolContext());
        // A text's last byte is the end of its line.
        const harmless = file === 'cold.json' && at > 0;
        if (!harmless) expect(findings.errors, `${file} at ${at}`).toBeGreaterThan(0);
        bytes[at]! ^= 0x40;
        writeFileSync(path, bytes);
      }
    }
  });

  it('note what is left over beside them', async () => {
    const dir = copyOf(mixed);
    writeFileSync(join(dir, 'cold', '01HF7YAT000000000000000000.tmp-for-creation'), '');
    const { findings } = await verifyDirectory(dir, toolContext());
    expect(findings.notes).toBe(1);
  });

  it('put standard blocks into a snapshot and restore it', async () => {
    const target = join(temporaryDirectory(), 's');
    await snapshotDirectory(mixed, target, { skipHead: false }, toolContext());
    expect(existsSync(join(target, 'cold'))).toBe(false);
    expect(readdirSync(target).filter(isUlid)).toEqual(readdirSync(standard).filter(isUlid));
    expect((await dumped(target)).text).toBe((await dumped(standard)).text);
    const merged = copyOf(mixed);
    const again = await restoreSnapshot(target, merged, { merge: true }, toolContext());
    expect([again.restored, again.present.length]).toEqual([[], 8]);
    const fresh = join(temporaryDirectory(), 'fresh');
    const { restored } = await restoreSnapshot(target, fresh, { merge: false }, toolContext());
    expect(restored).toHaveLength(8);
  });
});
