// The index file's fixed parts: header and table of contents. Format: docs of Prometheus' tsdb,
// "Index Disk Format", versions 1 and 2; version 2 is written.

import { crc32c } from '../../encoding/crc32c.ts';
import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import type { ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import type { FrameFormat } from '../frames.ts';

export const INDEX_MAGIC = 0xbaaad700;
export const INDEX_VERSION = 2;
export const INDEX_HEADER_BYTES = 5;
/** Series entries begin at multiples of this, and their id is offset / 16. */
export const SERIES_ALIGNMENT = 16;
/** Every how many symbols, and postings of one name, a reader remembers an offset. */
export const SAMPLE_EVERY = 32;

const TOC_BYTES = 6 * 8 + 4;

export const SERIES_FRAME: FrameFormat = {
  what: 'index series',
  length: 'uvarint',
  uncounted: 0,
  guess: 512,
};

export const POSTINGS_FRAME: FrameFormat = {
  what: 'index postings list',
  length: 'u32',
  uncounted: 0,
  guess: 4096,
};

/** Offsets of the sections. A section the file does not have is 0 or equals its successor. */
export interface IndexToc {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelIndicesTable: number;
  readonly postings: number;
  readonly postingsTable: number;
}

/** What the fixed parts say. */
export interface IndexLayout {
  readonly version: number;
  readonly toc: IndexToc;
  /** Offset of the table of contents: nothing else lies behind it. */
  readonly tocStart: number;
}

/** Reads and checks header and table of contents. */
export async function readLayout(source: ByteSource): Promise<IndexLayout> {
  const tocStart = source.size - TOC_BYTES;
  if (tocStart < INDEX_HEADER_BYTES) throw corrupt('index is too short', source.name, source.size);
  const [header, toc] = await source.read([
    { start: 0, end: INDEX_HEADER_BYTES },
    { start: tocStart, end: source.size },
  ]);
  const head = new ReadBuffer(header!);
  if (head.u32() !== INDEX_MAGIC) throw corrupt('index has a wrong magic number', source.name, 0);
  const version = head.u8();
  if (version !== 1 && version !== 2) {
    throw corrupt(`index has the unknown format version ${version}`, source.name, 4);
  }
  return { version, toc: parseToc(toc!, source.name, tocStart), tocStart };
}

function parseToc(bytes: Uint8Array, file: string, tocStart: number): IndexToc {
  const buffer = new ReadBuffer(bytes);
  const toc: IndexToc = {
    symbols: buffer.u64(),
    series: buffer.u64(),
    labelIndices: buffer.u64(),
    labelIndicesTable: buffer.u64(),
    postings: buffer.u64(),
    postingsTable: buffer.u64(),
  };
  if (buffer.u32() !== crc32c(bytes.subarray(0, TOC_BYTES - 4)) || buffer.error !== null) {
    throw corrupt('index table of contents checksum mismatch', file, tocStart);
  }
  if (Object.values(toc).some(offset => offset > tocStart)) {
    throw corrupt('index table of contents points beyond the file', file, tocStart);
  }
  return toc;
}

/** The table of contents as it ends the file. */
export function encodeToc(toc: IndexToc): Uint8Array {
  const buffer = new WriteBuffer(TOC_BYTES);
  buffer.u64(toc.symbols);
  buffer.u64(toc.series);
  buffer.u64(toc.labelIndices);
  buffer.u64(toc.labelIndicesTable);
  buffer.u64(toc.postings);
  buffer.u64(toc.postingsTable);
  buffer.crcFrom(0);
  return buffer.bytes();
}
