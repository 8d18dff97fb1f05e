// Where the log of a data directory begins. A block of samples in order over that time would hide the log's
// samples when the directory is opened the next time.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../lifecycle/clock.ts';
import { Slicer } from '../../lifecycle/slicer.ts';
import type { BlockMeta } from '../../tsdb/block/meta.ts';
import { readAnyMeta } from '../../tsdb/cold/any-block.ts';
import { decodeHistogramRecord, LoggedHistograms } from '../../tsdb/wal/histogram-record.ts';
import { readSegment } from '../../tsdb/wal/log-reader.ts';
import { logSources } from '../../tsdb/wal/log-sources.ts';
import {
  RECORD_CUSTOM_FLOAT_HISTOGRAMS,
  RECORD_HISTOGRAMS,
  RECORD_SAMPLES,
} from '../../tsdb/wal/record-type.ts';
import { decodeSamplesRecord, LoggedSamples } from '../../tsdb/wal/samples-record.ts';
import { blockDirectories, coveredUntil } from './read-only-database.ts';

/** Unix ms of the oldest sample that is in the log and in no block; Infinity where there is none. */
export async function logStart(dir: string, clock: Clock): Promise<number> {
  const logDir = join(dir, 'wal');
  if (!existsSync(logDir)) return Number.POSITIVE_INFINITY;
  const metas: BlockMeta[] = [];
  for (const path of blockDirectories(dir)) {
    const meta = await readAnyMeta(path).catch(() => null); // a damaged block covers nothing
    if (meta) metas.push(meta);
  }
  const covered = coveredUntil(metas, clock.now());
  const slicer = new Slicer(() => clock.monotonic());
  const samples = new LoggedSamples();
  const histograms = new LoggedHistograms();
  let start = Number.POSITIVE_INFINITY;
  const note = ({ times, length }: { times: Float64Array; length: number }): void => {
    for (let i = 0; i < length; i++) {
      if (times[i]! >= covered && times[i]! < start) start = times[i]!;
    }
  };
  const visit = (record: Uint8Array): void => {
    const type = record[0]!;
    if (type === RECORD_SAMPLES) {
      decodeSamplesRecord(record, samples);
      note(samples);
    } else if (type >= RECORD_HISTOGRAMS && type <= RECORD_CUSTOM_FLOAT_HISTOGRAMS) {
      decodeHistogramRecord(record, histograms);
      note(histograms);
    }
  };
  for (const { path } of logSources(logDir)) await readSegment(path, visit, slicer);
  return start;
}
