// Checks one block directory: each file by itself, and that they agree.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readMeta } from '../../../tsdb/block/block.ts';
import { type BlockMeta, hasMistakenIndexVersion, META_FILE } from '../../../tsdb/block/meta.ts';
import { TOMBSTONES_FILE, Tombstones } from '../../../tsdb/block/tombstones.ts';
import { isUlid } from '../../../tsdb/block/ulid.ts';
import { FileSource } from '../../../tsdb/file-source.ts';
import type { Findings } from './findings.ts';
import { type VerifiedChunks, verifyChunks } from './verify-chunks.ts';
import { type VerifiedIndex, verifyIndex } from './verify-index.ts';

/** What a block holds, as it was read. */
export interface VerifiedBlock {
  /** Null where meta.json cannot be read. */
  readonly meta: BlockMeta | null;
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
}

/** Checks a block; `onBytes` is told the bytes read. */
export async function verifyBlock(
  dir: string,
  findings: Findings,
  onBytes: (bytes: number) => void,
): Promise<VerifiedBlock> {
  const meta = await verifyMeta(dir, META_FILE, findings);
  let bytes = 0;
  const index = await withFile(join(dir, 'index'), findings, async source => {
    const found = await verifyIndex(source, {
      findings,
      minTime: meta?.minTime ?? Number.NEGATIVE_INFINITY,
      maxTime: meta?.maxTime ?? Number.POSITIVE_INFINITY,
      onBytes,
      ...(meta && hasMistakenIndexVersion(meta) && { version: 2 }),
    });
    bytes = source.size;
    return found;
  });
  const tombstones = await verifyTombstones(dir, index, findings);
  const chunks = await verifySegments(dir, index, findings, read => onBytes(bytes + read));
  if (meta && index)
    compareStats(meta, { index, chunks, tombstones }, join(dir, META_FILE), findings);
  await noteOtherFiles(dir, [META_FILE, TOMBSTONES_FILE, 'index', 'chunks'], findings);
  return {
    meta,
    series: index?.series ?? 0,
    chunks: chunks.chunks,
    samples: chunks.numFloatSamples + chunks.numHistogramSamples,
  };
}

/** Checks the file of a block's meta; null where it cannot be read. */
export async function verifyMeta(
  dir: string,
  name: string,
  findings: Findings,
): Promise<BlockMeta | null> {
  const file = join(dir, name);
  try {
    const meta = await readMeta(dir, name);
    if (meta.ulid !== basename(dir) && isUlid(basename(dir))) {
      findings.error(`block meta names another block, ${meta.ulid}`, file);
    }
    if (meta.compaction.sources.some(source => !isUlid(source))) {
      findings.error('block meta has a source that is no block id', file);
    }
    return meta;
  } catch (error) {
    findings.caught(error);
    return null;
  }
}

/** Checks the tombstones; how many there are. */
export async function verifyTombstones(
  dir: string,
  index: VerifiedIndex | null,
  findings: Findings,
): Promise<number> {
  const file = join(dir, TOMBSTONES_FILE);
  try {
    const tombstones = Tombstones.decode(await readFile(file), file);
    for (const id of tombstones.ids()) {
      if (index && !index.ids.has(id)) {
        findings.error(`tombstones of series ${id}, which does not exist`, file);
      }
    }
    return tombstones.count;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      findings.note('block has no tombstones file', file);
      return 0;
    }
    findings.caught(error);
    return 0;
  }
}

async function verifySegments(
  dir: string,
  index: VerifiedIndex | null,
  findings: Findings,
  onBytes: (bytes: number) => void,
): Promise<VerifiedChunks> {
  const folder = join(dir, 'chunks');
  const segments: FileSource[] = [];
  try {
    const names = (await readdir(folder)).filter(name => /^\d{6}$/.test(name)).sort();
    for (const name of names) segments.push(await FileSource.open(join(folder, name)));
    if (Number(names.at(-1) ?? 0) !== names.length) {
      findings.error('chunk segments are not numbered without gaps', folder);
    }
    const references = index?.references ?? null;
    return await verifyChunks({ segments, references, findings, onBytes });
  } catch (error) {
    findings.caught(error);
    return { chunks: 0, aggregates: 0, numFloatSamples: 0, numHistogramSamples: 0 };
  } finally {
    await Promise.all(segments.map(segment => segment.close()));
  }
}

/** Holds what meta.json says against what there is. */
export function compareStats(
  { stats }: BlockMeta,
  found: { index: VerifiedIndex; chunks: VerifiedChunks; tombstones: number },
  file: string,
  findings: Findings,
): void {
  const { numFloatSamples, numHistogramSamples, chunks, aggregates } = found.chunks;
  const samples = aggregates > 0 ? stats.numSamples : numFloatSamples + numHistogramSamples;
  const counts: readonly (readonly [what: string, said: number, counted: number])[] = [
    ['series', stats.numSeries, found.index.series],
    ['chunks', stats.numChunks, chunks],
    ['samples', stats.numSamples, samples],
    ['tombstones', stats.numTombstones, found.tombstones],
  ];
  for (const [what, said, counted] of counts) {
    if (said !== counted) {
      findings.error(`block meta says ${said} ${what}, there are ${counted}`, file);
    }
  }
}

/** Notes files beside the known ones. */
export async function noteOtherFiles(
  dir: string,
  known: readonly string[],
  findings: Findings,
): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    if (!known.includes(name)) findings.note('file that is no part of a block', join(dir, name));
  }
}

async function withFile<T>(
  path: string,
  findings: Findings,
  read: (source: FileSource) => Promise<T | null>,
): Promise<T | null> {
  let source: FileSource;
  try {
    source = await FileSource.open(path);
  } catch (error) {
    findings.caught(error);
    return null;
  }
  try {
    return await read(source);
  } finally {
    await source.close();
  }
}
