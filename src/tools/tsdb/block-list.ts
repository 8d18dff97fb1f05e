// The table of a directory's blocks, with promtool's columns. Only meta.json and file sizes are read, so
// that damaged blocks can be listed too.

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { fileBytes } from '../../tsdb/block/block.ts';
import { countSamples } from '../../tsdb/block/chunk-samples.ts';
import { type BlockMeta, META_FILE } from '../../tsdb/block/meta.ts';
import { TOMBSTONES_FILE } from '../../tsdb/block/tombstones.ts';
import { isColdDirectory, readAnyMeta } from '../../tsdb/cold/any-block.ts';
import { COLD_CHUNKS_FOLDER, COLD_INDEX_FILE, COLD_META_FILE } from '../../tsdb/cold/cold-block.ts';
import type { Head } from '../../tsdb/head/head.ts';
import { listCheckpoints, listSegments } from '../../tsdb/wal/segments.ts';
import { goBytes, goDuration, goTime } from './go-text.ts';
import { blockDirectories, readLoggedHead } from './read-only-database.ts';
import { chunksOf } from './series-facts.ts';

/** One line of the table. `maxTime` is exclusive. */
export interface BlockRow {
  readonly name: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly samples: number;
  readonly chunks: number;
  readonly series: number;
  readonly bytes: number;
}

/** Rows by time, then what of the log is in no block; and one sentence for each block without a row. */
export interface BlockList {
  readonly rows: readonly BlockRow[];
  readonly unreadable: readonly string[];
}

const HEADINGS = [
  'BLOCK ULID',
  'MIN TIME',
  'MAX TIME',
  'DURATION',
  'NUM SAMPLES',
  'NUM CHUNKS',
  'NUM SERIES',
  'SIZE',
];
const CELL_WIDTH_MIN = 13;
const PADDING = 2;

/** What stands where a block's id would, for samples that are only in the log. */
export const HEAD_NAME = 'head (wal)';
/** What follows the id of a cold block. */
const COLD_MARK = ' (cold)';

/** Reads a directory. Throws `not-found` where there is none. */
export async function listBlocks(dir: string, clock: Clock): Promise<BlockList> {
  const metas: BlockMeta[] = [];
  const rows: BlockRow[] = [];
  const unreadable: string[] = [];
  for (const path of blockDirectories(dir)) {
    try {
      const meta = await readAnyMeta(path);
      const name = basename(path) + (isColdDirectory(path) ? COLD_MARK : '');
      rows.push(rowOf(name, meta, await blockBytes(path)));
      metas.push(meta);
    } catch (error) {
      if (existsSync(path)) unreadable.push(OutpostError.from(error).message);
    }
  }
  rows.sort((a, b) => a.minTime - b.minTime || a.maxTime - b.maxTime);
  const logged = await readLoggedHead(dir, metas, clock);
  if (logged) rows.push(await headRow(logged.head, dir));
  return { rows, unreadable };
}

/** The table, each line ended by a newline. `humanReadable`: times as dates, sizes with units. */
export function formatBlocks(rows: readonly BlockRow[], humanReadable: boolean): string {
  const time = humanReadable ? goTime : String;
  const size = humanReadable ? goBytes : String;
  const cells = rows.map(row => [
    row.name,
    time(row.minTime),
    time(row.maxTime),
    goDuration(row.maxTime - row.minTime),
    String(row.samples),
    String(row.chunks),
    String(row.series),
    size(row.bytes),
  ]);
  const table = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_, column) =>
    Math.max(CELL_WIDTH_MIN, ...table.map(line => line[column]!.length + PADDING)),
  );
  // The last column is as wide as its text.
  widths[widths.length - 1] = 0;
  return table.map(line => `${line.map((cell, i) => cell.padEnd(widths[i]!)).join('')}\n`).join('');
}

function rowOf(name: string, { minTime, maxTime, stats }: BlockMeta, bytes: number): BlockRow {
  const { numSamples: samples, numChunks: chunks, numSeries: series } = stats;
  return { name, minTime, maxTime, samples, chunks, series, bytes };
}

/** Bytes of the files that belong to a block, of either form. */
export async function blockBytes(dir: string): Promise<number> {
  const [meta, index, folder] = isColdDirectory(dir)
    ? [COLD_META_FILE, COLD_INDEX_FILE, COLD_CHUNKS_FOLDER]
    : [META_FILE, 'index', 'chunks'];
  const chunks = await readdir(join(dir, folder)).catch(() => []);
  const files = [meta, index, TOMBSTONES_FILE, ...chunks.map(name => join(folder, name))];
  return await fileBytes(...files.map(file => join(dir, file)));
}

async function headRow(head: Head, dir: string): Promise<BlockRow> {
  const counts = { numFloatSamples: 0, numHistogramSamples: 0 };
  let chunks = 0;
  let series = 0;
  const querier = head.querier(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  try {
    const set = await querier.select([]);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const one of batch) {
        series++;
        for (const chunk of chunksOf(one)) {
          countSamples(chunk, counts);
          chunks++;
        }
      }
    }
  } finally {
    querier.close();
  }
  const logDir = join(dir, 'wal');
  const checkpoints = listCheckpoints(logDir).map(({ path }) => path);
  const files = [logDir, join(dir, 'wbl'), ...checkpoints].flatMap(listSegments);
  return {
    name: HEAD_NAME,
    minTime: head.oldestTime,
    maxTime: head.newestTime + 1,
    samples: counts.numFloatSamples + counts.numHistogramSamples,
    chunks,
    series,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  };
}
