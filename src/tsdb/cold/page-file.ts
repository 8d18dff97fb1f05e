// A file cut into pages of one size, each compressed by itself, so that any range can be read without the
// rest. Layout: an 8-byte header; the pages; the compressed length of each; a footer. A page that does not
// shrink is stored as it is, which its length tells. What lies in the pages has checksums of its own.

import { crc32c } from '../../encoding/crc32c.ts';
import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { zstdEncode } from '../../encoding/zstd.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import type { ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import { FileSource } from '../file-source.ts';
import { FileWriter } from '../file-writer.ts';

const MAGIC = 0x0c01db10;
const VERSION = 1;
const HEADER_BYTES = 8;
const FOOTER_BYTES = 20;
// A page is held whole in memory.
const PAGE_BYTES_MAX = 1024 * 1024;
// Densest before the time to write triples.
const LEVEL = 9;

/** Where the pages of a file lie. */
export interface PageTable {
  /** Bytes of the file before it was compressed. */
  readonly size: number;
  /** Bytes of each page but the last, uncompressed. */
  readonly pageBytes: number;
  /** Offset of each page in the file, and the end of the last. */
  readonly starts: Float64Array;
}

/**
 * Writes the bytes of the file `from` to the new file `to` and flushes it to the device. Small pages
 * compress less, large ones cost those more who want a little.
 */
export async function compressFile(
  from: string,
  to: string,
  { pageBytes, slicer }: { readonly pageBytes: number; readonly slicer: Slicer },
): Promise<void> {
  const source = await FileSource.open(from);
  try {
    const target = await FileWriter.create(to);
    try {
      await writePages(source, target, pageBytes, slicer);
      await target.finish();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function writePages(
  source: ByteSource,
  target: FileWriter,
  pageBytes: number,
  slicer: Slicer,
): Promise<void> {
  const { buffer } = target;
  buffer.u32(MAGIC);
  buffer.u8(VERSION);
  buffer.zeros(3);
  const lengths: number[] = [];
  for (let start = 0; start < source.size; start += pageBytes) {
    const end = Math.min(start + pageBytes, source.size);
    const [page] = await source.read([{ start, end }]);
    const compressed = zstdEncode(page!, LEVEL);
    const stored = compressed.length < page!.length ? compressed : page!;
    lengths.push(stored.length);
    buffer.raw(stored);
    if (target.full) await target.drain();
    if (slicer.due) await slicer.pause();
  }
  await target.drain();
  for (const length of lengths) buffer.u32(length);
  buffer.u64(source.size);
  buffer.u32(pageBytes);
  buffer.crcFrom(0);
  buffer.u32(MAGIC);
}

/** Reads and checks header, table and footer. Throws `corrupt`. */
export async function readPageTable(file: ByteSource): Promise<PageTable> {
  if (file.size < HEADER_BYTES + FOOTER_BYTES)
    throw corrupt('cold file is too short', file.name, 0);
  const footerStart = file.size - FOOTER_BYTES;
  const [head, foot] = await file.read([
    { start: 0, end: HEADER_BYTES },
    { start: footerStart, end: file.size },
  ]);
  const header = new ReadBuffer(head!);
  const footer = new ReadBuffer(foot!);
  const size = footer.u64();
  const pageBytes = footer.u32();
  const checksum = footer.u32();
  if (header.u32() !== MAGIC || footer.u32() !== MAGIC) {
    throw corrupt('cold file has a wrong magic number', file.name, 0);
  }
  const version = header.u8();
  if (version !== VERSION) {
    throw corrupt(`cold file has the unknown version ${version}`, file.name, 4);
  }
  const count = pageBytes > 0 ? Math.ceil(size / pageBytes) : -1;
  const tableStart = footerStart - count * 4;
  if (
    footer.error !== null ||
    pageBytes > PAGE_BYTES_MAX ||
    !(tableStart >= HEADER_BYTES) ||
    count < 0
  ) {
    throw corrupt('cold file has an impossible footer', file.name, footerStart);
  }
  const [table] = await file.read([{ start: tableStart, end: file.size - 8 }]);
  if (crc32c(table!) !== checksum) {
    throw corrupt('cold file page table checksum mismatch', file.name, tableStart);
  }
  const lengths = new ReadBuffer(table!);
  const starts = new Float64Array(count + 1).fill(HEADER_BYTES, 0, 1);
  for (let i = 0; i < count; i++) starts[i + 1] = starts[i]! + lengths.u32();
  if (starts[count] !== tableStart) {
    throw corrupt('cold file pages do not fill the file', file.name, tableStart);
  }
  return { size, pageBytes, starts };
}
