// Checks a data directory, a snapshot or a single block: every byte is read, nothing is changed.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../lifecycle/clock.ts';
import type { BlockMeta } from '../../../tsdb/block/meta.ts';
import { META_FILE } from '../../../tsdb/block/meta.ts';
import { isColdDirectory } from '../../../tsdb/cold/any-block.ts';
import { COLD_FOLDER } from '../../../tsdb/cold/cold-block.ts';
import type { ProgressSink } from '../../progress-sink.ts';
import { blockDirectories } from '../read-only-database.ts';
import { Findings } from './findings.ts';
import { verifyBlock } from './verify-block.ts';
import { verifyColdBlock } from './verify-cold-block.ts';
import { type VerifiedLog, verifyLog } from './verify-log.ts';

export interface VerifyOptions {
  readonly clock: Clock;
  readonly progress: ProgressSink;
  readonly signal: AbortSignal;
}

/** What was read and what is wrong with it. */
export interface Verification {
  readonly findings: Findings;
  readonly blocks: number;
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
  /** Both logs together; null where there is none. */
  readonly log: VerifiedLog | null;
}

const LEFTOVER = /\.(tmp|tmp-for-creation|tmp-for-deletion|corrupt)$/;

/** Reads everything. Throws `not-found` where there is no directory. */
export async function verifyDirectory(dir: string, options: VerifyOptions): Promise<Verification> {
  const { clock, progress, signal } = options;
  const findings = new Findings();
  const isBlock = existsSync(join(dir, META_FILE)) || isColdDirectory(dir);
  const dirs = isBlock ? [dir] : blockDirectories(dir);
  const sizes = dirs.map(folderBytes);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const counts = { blocks: dirs.length, series: 0, chunks: 0, samples: 0 };
  const metas: BlockMeta[] = [];
  progress.phase('verify', total, 'bytes');
  let before = 0;
  for (const [i, blockDir] of dirs.entries()) {
    signal.throwIfAborted();
    const at = before;
    const verify = isColdDirectory(blockDir) ? verifyColdBlock : verifyBlock;
    const block = await verify(blockDir, findings, bytes => progress.at(at + bytes));
    before += sizes[i]!;
    counts.series += block.series;
    counts.chunks += block.chunks;
    counts.samples += block.samples;
    if (block.meta) metas.push(block.meta);
  }
  const log = await verifyLogs(dir, findings, clock);
  if (!isBlock) {
    noteOverlaps(metas, dir, findings);
    noteLeftovers(dir, findings);
    noteLeftovers(join(dir, COLD_FOLDER), findings);
  }
  return { findings, ...counts, log };
}

async function verifyLogs(
  dir: string,
  findings: Findings,
  clock: Clock,
): Promise<VerifiedLog | null> {
  let sum: VerifiedLog | null = null;
  for (const name of ['wal', 'wbl']) {
    const logDir = join(dir, name);
    if (!existsSync(logDir)) continue;
    const log = await verifyLog(logDir, { outOfOrder: name === 'wbl' }, findings, clock);
    sum ??= { segments: 0, records: 0, samples: 0 };
    sum.segments += log.segments;
    sum.records += log.records;
    sum.samples += log.samples;
  }
  return sum;
}

/** Blocks that overlap in time are legal: readers merge them and compaction joins them. */
function noteOverlaps(metas: readonly BlockMeta[], dir: string, findings: Findings): void {
  const sorted = [...metas].sort((a, b) => a.minTime - b.minTime || a.maxTime - b.maxTime);
  let longest = sorted[0];
  for (const meta of sorted.slice(1)) {
    if (meta.minTime < longest!.maxTime) {
      findings.note(`blocks ${longest!.ulid} and ${meta.ulid} overlap in time`, dir);
    }
    if (meta.maxTime > longest!.maxTime) longest = meta;
  }
}

function noteLeftovers(dir: string, findings: Findings): void {
  for (const name of existsSync(dir) ? readdirSync(dir) : []) {
    if (LEFTOVER.test(name)) findings.note('left over or set aside', join(dir, name));
  }
}

function folderBytes(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) bytes += folderBytes(path);
    else if (entry.isFile()) bytes += statSync(path).size;
  }
  return bytes;
}
