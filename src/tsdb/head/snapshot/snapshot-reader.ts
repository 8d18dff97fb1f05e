// Brings back a head from its snapshot. A snapshot is believed as a whole or not at all: one that belongs to
// another log, is damaged or does not fit leaves the head as it was, and the log is replayed from its start.

import { rmSync, statSync } from 'node:fs';
import { xorDecoder } from '../../../kernels/xor.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import type { Slicer } from '../../../lifecycle/slicer.ts';
import { ChunkEncoding } from '../../../storage/series.ts';
import { readSegment } from '../../wal/log-reader.ts';
import type { Head } from '../head.ts';
import { clearHead } from '../head-truncation.ts';
import { Replay, type ReplayReport } from '../log-replay.ts';
import { isMarked, type LogMark } from './log-mark.ts';
import {
  chunkSamples,
  decodeAliases,
  decodeBegin,
  decodeChunksRecord,
  decodeEnd,
  SNAPSHOT_ALIASES,
  SNAPSHOT_BEGIN,
  SNAPSHOT_CHUNKS,
  SNAPSHOT_END,
  type SnapshotChunk,
} from './snapshot-records.ts';

/** File name in the data directory. */
export const SNAPSHOT_FILE = 'head.snapshot';

/** Samples of open chunks that are appended together. */
const STAGED_MAX = 16_384;

/** What was found. */
export type SnapshotFound =
  | { readonly kind: 'none' }
  /** The head holds all of the log before segment `from`. */
  | { readonly kind: 'loaded'; readonly from: number; readonly report: ReplayReport }
  | { readonly kind: 'discarded'; readonly reason: string };

export interface SnapshotReading {
  readonly logDir: string;
  readonly slicer: Slicer;
  /** Ends the loading; the slicer's. */
  readonly signal?: AbortSignal;
  /** Hears of bytes read. */
  readonly onRead?: (bytes: number) => void;
}

/** Loads the snapshot at `path` into an empty head. Throws only where the signal aborts. */
export async function loadHeadSnapshot(
  head: Head,
  path: string,
  { logDir, slicer, signal, onRead }: SnapshotReading,
): Promise<SnapshotFound> {
  if (!statSync(path, { throwIfNoEntry: false })) return { kind: 'none' };
  const before = { minValidTime: head.minValidTime, visibleFrom: head.visibleFrom };
  const load = new SnapshotLoad(head, logDir);
  try {
    const reading = await readSegment(path, record => load.record(record), slicer, { onRead });
    const [damage] = reading.damages;
    if (damage) throw new OutpostError('corrupt', `${damage.reason} at offset ${damage.offset}`);
    return { kind: 'loaded', ...load.finish() };
  } catch (error) {
    if (signal?.aborted) throw error;
    await clearHead(head);
    head.minValidTime = before.minValidTime;
    head.visibleFrom = before.visibleFrom;
    return { kind: 'discarded', reason: OutpostError.from(error).message };
  }
}

/** Removes a snapshot and what an interrupted writing of one left. Throws system errors. */
export function removeHeadSnapshot(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}.tmp`, { force: true });
}

/** A snapshot's records, applied in their order. */
class SnapshotLoad {
  readonly #head: Head;
  readonly #logDir: string;
  readonly #replay: Replay;
  readonly #slots = new Uint32Array(STAGED_MAX);
  readonly #times = new Float64Array(STAGED_MAX);
  readonly #values = new Float64Array(STAGED_MAX);
  #staged = 0;
  #mark: LogMark | null = null;
  #samples = 0;
  #ended = false;

  constructor(head: Head, logDir: string) {
    this.#head = head;
    this.#logDir = logDir;
    this.#replay = new Replay(head);
  }

  record(record: Uint8Array): void {
    const type = record[0] ?? 0;
    if (type === SNAPSHOT_BEGIN) this.#begin(record);
    else if (!this.#mark || this.#ended) throw refused('its records are out of order');
    else if (type === SNAPSHOT_CHUNKS) {
      decodeChunksRecord(record, (ref, chunks) => this.#chunks(ref, chunks));
    } else if (type === SNAPSHOT_ALIASES) this.#aliases(record);
    else if (type === SNAPSHOT_END) this.#end(record);
    else {
      this.#apply();
      this.#replay.record(record);
    }
  }

  finish(): { readonly from: number; readonly report: ReplayReport } {
    const { report } = this.#replay;
    if (!this.#mark || !this.#ended) throw refused('its end is missing');
    if (report.samplesLost > 0) throw refused(`${report.samplesLost} samples do not fit`);
    this.#replay.finish();
    return { from: this.#mark.end, report };
  }

  #begin(record: Uint8Array): void {
    const { chunkRangeMs, nextRef, mark } = decodeBegin(record);
    const head = this.#head;
    if (chunkRangeMs !== head.options.chunkRangeMs) {
      throw refused(`its chunks are of ${chunkRangeMs} ms`);
    }
    if (!isMarked(this.#logDir, mark)) throw refused('the log was changed since');
    head.nextRef = Math.max(head.nextRef, nextRef);
    this.#mark = mark;
  }

  #end(record: Uint8Array): void {
    this.#apply();
    const { series, samples } = decodeEnd(record);
    if (series !== this.#head.seriesCount || samples !== this.#samples) {
      throw refused(
        `it has ${this.#head.seriesCount} of ${series} series, ${this.#samples} of ${samples} samples`,
      );
    }
    this.#ended = true;
  }

  #chunks(ref: number, chunks: readonly SnapshotChunk[]): void {
    const { arena, index, minValidTime } = this.#head;
    const slot = index.table.slotOf(ref);
    if (slot < 0) throw refused(`it has chunks of series ${ref}, which it does not name`);
    for (const [i, { minTime, maxTime, data }] of chunks.entries()) {
      if (i === chunks.length - 1) this.#stage(slot, data);
      else if (maxTime < minValidTime) this.#count(chunkSamples(data), 0);
      else {
        const chunk = { minTime, maxTime, encoding: ChunkEncoding.xor, data };
        const count = arena.loadChunk(slot, chunk);
        this.#count(count, count);
        this.#head.noteStored(count, minTime, maxTime);
      }
    }
  }

  // The last chunk may be open. Its samples are appended one by one, so that it goes on as it was.
  #stage(slot: number, data: Uint8Array): void {
    const decoder = xorDecoder();
    const count = decoder.decode(data);
    for (let from = 0; from < count; ) {
      if (this.#staged === STAGED_MAX) this.#apply();
      const to = Math.min(count, from + STAGED_MAX - this.#staged);
      this.#slots.fill(slot, this.#staged, this.#staged + to - from);
      this.#times.set(decoder.times.subarray(from, to), this.#staged);
      this.#values.set(decoder.values.subarray(from, to), this.#staged);
      this.#staged += to - from;
      from = to;
    }
  }

  #apply(): void {
    const count = this.#staged;
    if (count === 0) return;
    const { arena, minValidTime } = this.#head;
    const batch = arena.batch(count);
    batch.slots.set(this.#slots.subarray(0, count));
    batch.times.set(this.#times.subarray(0, count));
    batch.values.set(this.#values.subarray(0, count));
    const accepted = arena.judge(count, minValidTime);
    const { acceptedMinTime, acceptedMaxTime } = arena;
    arena.apply(count);
    this.#count(count, accepted);
    if (accepted > 0) this.#head.noteStored(accepted, acceptedMinTime, acceptedMaxTime);
    this.#staged = 0;
  }

  #count(held: number, stored: number): void {
    this.#samples += held;
    this.#replay.report.samples += stored;
    this.#replay.report.samplesSkipped += held - stored;
  }

  #aliases(record: Uint8Array): void {
    decodeAliases(record, ({ alias, ref, lastTime }) => {
      if (this.#head.index.table.slotOf(ref) < 0) return;
      this.#head.aliases.set(alias, { ref, lastTime });
    });
  }
}

function refused(reason: string): OutpostError {
  return new OutpostError('corrupt', `head snapshot: ${reason}`);
}
