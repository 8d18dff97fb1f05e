// The postings offset table of a format 1 index is in no order. It is sorted into a table of format 2 in
// memory, so that one reader serves both.

import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { compareStrings } from '../../labels/compare.ts';
import type { ByteSource } from '../byte-source.ts';
import { MemorySource } from '../file-source.ts';
import { walkSection } from './section.ts';

/** A source that holds the sorted table and nothing else, from offset 0 on. Throws `corrupt`. */
export async function sortedPostingsTable(
  source: ByteSource,
  place: { start: number; limit: number },
): Promise<ByteSource> {
  const entries: { name: string; value: string; offset: number }[] = [];
  await walkSection(source, {
    what: 'index postings table',
    ...place,
    residentBytesMax: Number.POSITIVE_INFINITY,
    begin: () => {},
    entry(buffer) {
      buffer.uvarint();
      entries.push({ name: buffer.string(), value: buffer.string(), offset: buffer.uvarint() });
      return buffer.error === null;
    },
  });
  entries.sort((a, b) => compareStrings(a.name, b.name) || compareStrings(a.value, b.value));
  const table = new WriteBuffer();
  table.u32(0);
  table.u32(entries.length);
  for (const { name, value, offset } of entries) {
    table.uvarint(2);
    table.string(name);
    table.string(value);
    table.uvarint(offset);
  }
  table.setU32(0, table.length - 4);
  table.crcFrom(4);
  return new MemorySource(source.name, table.bytes());
}
