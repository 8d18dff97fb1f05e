// Checks the chunk segments of a block against the references of its index: every frame, checksum and
// sample, and that no byte lies outside.

import { OutpostError } from '../../../lifecycle/errors.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import { type Chunk, ChunkEncoding } from '../../../storage/series.ts';
import { type ChunkCounts, countSamples } from '../../../tsdb/block/chunk-samples.ts';
import type { ByteSource } from '../../../tsdb/byte-source.ts';
import {
  SEGMENT_HEADER_BYTES,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
} from '../../../tsdb/chunks/segment-format.ts';
import { offsetOf, segmentOf } from '../../../tsdb/index/series-entries.ts';
import { ByteWindow } from './byte-window.ts';
import type { Findings } from './findings.ts';
import { type FrameShape, frameAt, nextFrame } from './frame-walk.ts';
import type { ChunkReferences } from './index-contents.ts';

const CHUNK_FRAME: FrameShape = { length: 'uvarint', uncounted: 1 };

/** The segments of a block and what its index says of them. */
export interface ChunkCheck {
  /** By number. */
  readonly segments: readonly ByteSource[];
  /** Null where the index cannot be read: chunks are then checked by themselves. */
  readonly references: ChunkReferences | null;
  readonly findings: Findings;
  /** Told the bytes read of all segments. */
  readonly onBytes: (bytes: number) => void;
}

/** Counts of what was read. */
export interface VerifiedChunks extends ChunkCounts {
  chunks: number;
  /** Downsampled chunks, whose samples writers count in ways of their own. */
  aggregates: number;
}

/** A chunk the index refers to. */
interface Reference {
  readonly offset: number;
  readonly minTime: number;
  readonly maxTime: number;
  /** For texts. */
  readonly series: string;
}

/** Reads every segment from front to back. */
export async function verifyChunks(check: ChunkCheck): Promise<VerifiedChunks> {
  const { segments, references, findings } = check;
  const counts: VerifiedChunks = {
    chunks: 0,
    aggregates: 0,
    numFloatSamples: 0,
    numHistogramSamples: 0,
  };
  const bySegment = references ? referencesBySegment(references) : null;
  for (const [number, list] of bySegment ?? []) {
    if (number < segments.length) continue;
    const text = `${list.length} chunks lie in segment ${number + 1}, which does not exist`;
    findings.error(text, list[0]!.series);
  }
  let bytesBefore = 0;
  for (const [number, source] of segments.entries()) {
    const before = bytesBefore;
    const window = new ByteWindow(source, bytes => check.onBytes(before + bytes));
    try {
      await verifyHeader(window, findings);
      const wanted = bySegment ? (bySegment.get(number) ?? []) : null;
      await new SegmentWalk(window, wanted, findings, counts).run();
    } catch (error) {
      findings.caught(error);
    }
    bytesBefore += source.size;
  }
  return counts;
}

function referencesBySegment(references: ChunkReferences): Map<number, Reference[]> {
  const out = new Map<number, Reference[]>();
  for (const i of references.byPlace()) {
    const place = references.places[i]!;
    const number = segmentOf(place);
    let list = out.get(number);
    if (!list) {
      list = [];
      out.set(number, list);
    }
    list.push({
      offset: offsetOf(place),
      minTime: references.minTimes[i]!,
      maxTime: references.maxTimes[i]!,
      series: `series at offset ${references.series[i]} of the index`,
    });
  }
  return out;
}

async function verifyHeader(window: ByteWindow, findings: Findings): Promise<void> {
  const file = window.source.name;
  const bytes = await window.read(0, SEGMENT_HEADER_BYTES);
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < SEGMENT_HEADER_BYTES) findings.error('chunk segment has no header', file, 0);
  else if (header.readUInt32BE(0) !== SEGMENT_MAGIC) {
    findings.error('chunk segment has a wrong magic number', file, 0);
  } else if (header[4] !== SEGMENT_VERSION) {
    findings.error(`chunk segment has the unknown version ${header[4]}`, file, 4);
  } else if (header.readUIntBE(5, 3) !== 0) {
    findings.error('chunk segment header padding is not zero', file, 5);
  }
}

/** One segment: frames as they follow each other, beside the references in order. */
class SegmentWalk {
  readonly #window: ByteWindow;
  readonly #wanted: readonly Reference[] | null;
  readonly #findings: Findings;
  readonly #counts: VerifiedChunks;
  readonly #columns = new SampleColumns();
  #next = 0;

  constructor(
    window: ByteWindow,
    wanted: readonly Reference[] | null,
    findings: Findings,
    counts: VerifiedChunks,
  ) {
    this.#window = window;
    this.#wanted = wanted;
    this.#findings = findings;
    this.#counts = counts;
  }

  async run(): Promise<void> {
    const { size, name } = this.#window.source;
    for (let at = SEGMENT_HEADER_BYTES; at < size; ) {
      this.#skipBefore(at);
      const reference = this.#reference();
      const isWanted = reference?.offset === at;
      const frame = await frameAt(this.#window, CHUNK_FRAME, at, size);
      const of = isWanted ? ` of ${reference.series}` : '';
      if (typeof frame === 'string') {
        this.#findings.error(`chunk${of} ${frame}`, name, at);
        if (isWanted) this.#next++;
        at = await this.#resume(at + 1);
        continue;
      }
      if (isWanted) this.#next++;
      else if (this.#wanted) this.#findings.error('chunk that no series refers to', name, at);
      this.#chunk(frame.payload, at, isWanted ? reference : null);
      at = frame.end;
    }
    this.#skipBefore(Number.POSITIVE_INFINITY);
  }

  #reference(): Reference | undefined {
    return this.#wanted?.[this.#next];
  }

  /** Complains of references to places the walk has passed. */
  #skipBefore(at: number): void {
    for (let reference = this.#reference(); reference && reference.offset < at; ) {
      const { name } = this.#window.source;
      this.#findings.error(`${reference.series} refers to no chunk`, name, reference.offset);
      this.#next++;
      reference = this.#reference();
    }
  }

  /** Where the walk goes on after damage: at the next reference, else where a frame proves whole. */
  async #resume(from: number): Promise<number> {
    const { size } = this.#window.source;
    this.#skipBefore(from);
    const reference = this.#reference();
    if (this.#wanted) return reference ? reference.offset : size;
    return await nextFrame(this.#window, CHUNK_FRAME, { offset: from, step: 1, limit: size });
  }

  /** Decodes a chunk and holds it against its reference. */
  #chunk(payload: Uint8Array, at: number, reference: Reference | null): void {
    const { name } = this.#window.source;
    const chunk: Chunk = {
      minTime: reference?.minTime ?? 0,
      maxTime: reference?.maxTime ?? 0,
      encoding: payload[0]!,
      data: payload.subarray(1),
    };
    this.#counts.chunks++;
    countSamples(chunk, this.#counts);
    if (chunk.encoding === ChunkEncoding.aggregate) {
      this.#counts.aggregates++;
      return;
    }
    const columns = this.#columns;
    columns.clear();
    try {
      decodeChunk(chunk, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, columns);
    } catch (error) {
      const reason = OutpostError.from(error).message;
      this.#findings.error(`chunk cannot be decoded: ${reason}`, name, at);
      return;
    }
    const problem = timesProblem(columns, reference);
    if (problem !== null) this.#findings.error(`chunk ${problem}`, name, at);
  }
}

function timesProblem(
  { times, length }: SampleColumns,
  reference: Reference | null,
): string | null {
  if (length === 0) return 'holds no samples';
  for (let i = 1; i < length; i++) {
    if (times[i]! <= times[i - 1]!) return 'has samples out of order';
  }
  if (!reference) return null;
  const { minTime, maxTime, series } = reference;
  if (times[0] === minTime && times[length - 1] === maxTime) return null;
  return `has samples from ${times[0]} to ${times[length - 1]}, ${series} says ${minTime} to ${maxTime}`;
}
