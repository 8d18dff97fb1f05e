// Checks a log: every fragment and record, gaps between segments, samples of series that nothing names.

import type { Clock } from '../../../lifecycle/clock.ts';
import { Slicer } from '../../../lifecycle/slicer.ts';
import { decodeHistogramRecord, LoggedHistograms } from '../../../tsdb/wal/histogram-record.ts';
import { readSegment, type SegmentReading } from '../../../tsdb/wal/log-reader.ts';
import { type LogSource, logSources } from '../../../tsdb/wal/log-sources.ts';
import { decodeMetadataRecord } from '../../../tsdb/wal/metadata-record.ts';
import {
  RECORD_CUSTOM_FLOAT_HISTOGRAMS,
  RECORD_HISTOGRAMS,
  RECORD_METADATA,
  RECORD_SAMPLES,
  RECORD_SERIES,
  RECORD_TOMBSTONES,
} from '../../../tsdb/wal/record-type.ts';
import { decodeSamplesRecord, LoggedSamples } from '../../../tsdb/wal/samples-record.ts';
import { decodeSeriesRecord } from '../../../tsdb/wal/series-record.ts';
import { decodeTombstonesRecord } from '../../../tsdb/wal/tombstones-record.ts';
import type { Findings } from './findings.ts';

/** What a log holds. */
export interface VerifiedLog {
  segments: number;
  records: number;
  samples: number;
}

/**
 * Reads the newest checkpoint and the segments behind it. The log of out-of-order samples names no series:
 * what it refers to is not checked.
 */
export async function verifyLog(
  logDir: string,
  { outOfOrder }: { readonly outOfOrder: boolean },
  findings: Findings,
  clock: Clock,
): Promise<VerifiedLog> {
  const sources = logSources(logDir);
  const slicer = new Slicer(() => clock.monotonic());
  const records = new RecordCheck();
  const out: VerifiedLog = { segments: sources.length, records: 0, samples: 0 };
  verifyNumbers(sources, findings);
  for (const source of sources) {
    try {
      const reading = await readSegment(source.path, record => records.visit(record), slicer);
      out.records += reading.records;
      noteDamage(source, reading, source === sources.at(-1), findings);
    } catch (error) {
      findings.caught(error);
    }
  }
  out.samples = records.samples;
  if (records.orphans > 0 && !outOfOrder) {
    findings.note(`${records.orphans} samples of series that the log does not name`, logDir);
  }
  return out;
}

function verifyNumbers(sources: readonly LogSource[], findings: Findings): void {
  let previous = -1;
  for (const { segment, path } of sources) {
    if (previous >= 0 && segment > previous + 1) {
      const missing = segment === previous + 2 ? previous + 1 : `${previous + 1} to ${segment - 1}`;
      findings.error(`log segment ${missing} is missing before`, path);
    }
    previous = segment;
  }
}

function noteDamage(
  { path }: LogSource,
  reading: SegmentReading,
  isLast: boolean,
  findings: Findings,
): void {
  for (const { kind, offset, reason } of reading.damages) {
    // The last segment may be being written, and a crash leaves an unfinished end.
    if (kind === 'torn' && isLast) findings.note('log ends inside a record', path, offset);
    else findings.error(`log segment ${reason}`, path, offset);
  }
}

/** Decodes every record of a kind that is known. */
class RecordCheck {
  samples = 0;
  /** Samples of series that were not named before. */
  orphans = 0;
  readonly #named = new Set<number>();
  readonly #floats = new LoggedSamples();
  readonly #histograms = new LoggedHistograms();

  visit(record: Uint8Array): void {
    const type = record[0] ?? 0;
    if (type === RECORD_SERIES) decodeSeriesRecord(record, ref => this.#named.add(ref));
    else if (type === RECORD_TOMBSTONES) decodeTombstonesRecord(record, () => {});
    else if (type === RECORD_METADATA) decodeMetadataRecord(record, () => {});
    else if (type === RECORD_SAMPLES) {
      decodeSamplesRecord(record, this.#floats);
      this.#count(this.#floats);
    } else if (type >= RECORD_HISTOGRAMS && type <= RECORD_CUSTOM_FLOAT_HISTOGRAMS) {
      decodeHistogramRecord(record, this.#histograms);
      this.#count(this.#histograms);
    }
  }

  #count({ refs, length }: { readonly refs: Float64Array; readonly length: number }): void {
    this.samples += length;
    for (let i = 0; i < length; i++) if (!this.#named.has(refs[i]!)) this.orphans++;
  }
}
