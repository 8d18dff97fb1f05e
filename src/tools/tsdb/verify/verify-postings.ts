// Checks the posting lists of an index against its series: each label pair has a list, and each list holds
// exactly the series that have the pair.

import { ReadBuffer } from '../../../encoding/read-buffer.ts';
import { compareStrings } from '../../../labels/compare.ts';
import { walkSection } from '../../../tsdb/index/section.ts';
import { type FrameShape, frameAt } from './frame-walk.ts';
import { type IndexCheck, type SymbolTable, sectionEnd, verifyPadding } from './index-check.ts';
import { pairOf, type VerifiedSeries } from './verify-series.ts';

const POSTINGS_FRAME: FrameShape = { length: 'u32', uncounted: 0 };
const KEY_STRINGS = 2;

interface TableEntry {
  readonly name: string;
  readonly value: string;
  /** Where its list lies, and where the entry itself does. */
  readonly list: number;
  readonly at: number;
}

/** Reads the table and every list. */
export async function verifyPostings(
  check: IndexCheck,
  symbols: SymbolTable | null,
  series: VerifiedSeries,
): Promise<void> {
  const { findings, source } = check;
  const entries = await readTable(check);
  if (!entries) return;
  let pairs = 0;
  let hasAll = false;
  for (const entry of entries) {
    const ids = await readList(check, entry);
    const isAll = entry.name === '' && entry.value === '';
    if (isAll) hasAll = true;
    else pairs++;
    if (!ids) continue;
    const unknown = series.whole ? ids.find(id => !series.ids.has(id)) : undefined;
    const what = isAll ? 'of all series' : `of ${entry.name}=${JSON.stringify(entry.value)}`;
    if (unknown !== undefined) {
      findings.error(`index postings list ${what} has an unknown series`, source.name, entry.list);
    } else if (isAll) {
      if (series.whole && ids.length !== series.ids.size) {
        findings.error('index postings list of all series lacks some', source.name, entry.list);
      }
    } else if (symbols && series.whole) {
      const pair = pairOf(symbols, symbols.find(entry.name), symbols.find(entry.value));
      if (!series.pairs.equals(pair, ids)) {
        findings.error(
          `index postings list ${what} differs from the series`,
          source.name,
          entry.list,
        );
      }
    }
  }
  const { postingsTable } = check.layout.toc;
  if (!hasAll) findings.error('index has no list of all series', source.name, postingsTable);
  if (symbols && series.whole && pairs !== series.pairs.size) {
    const text = `index postings table has ${pairs} label pairs, the series ${series.pairs.size}`;
    findings.error(text, source.name, postingsTable);
  }
}

async function readTable(check: IndexCheck): Promise<TableEntry[] | null> {
  const { source, layout, findings } = check;
  const start = layout.toc.postingsTable;
  const entries: TableEntry[] = [];
  try {
    const { end } = await walkSection(source, {
      what: 'index postings table',
      start,
      limit: sectionEnd(layout, start),
      residentBytesMax: 0,
      begin: () => {},
      entry(buffer, base) {
        const at = base + buffer.offset;
        const strings = buffer.uvarint();
        const entry = { name: buffer.string(), value: buffer.string(), list: buffer.uvarint(), at };
        if (buffer.error !== null) return false;
        if (strings !== KEY_STRINGS) {
          findings.error('index postings table has a key of another kind', source.name, at);
        }
        entries.push(entry);
        return true;
      },
    });
    await verifyPadding(check, end + 4, sectionEnd(layout, start));
  } catch (error) {
    findings.caught(error);
    return null;
  }
  // Format 1 has them in no order.
  if (layout.version === 1) return entries;
  for (let i = 1; i < entries.length; i++) {
    const [a, b] = [entries[i - 1]!, entries[i]!];
    if (
      compareStrings(a.name, b.name) > 0 ||
      (a.name === b.name && compareStrings(a.value, b.value) >= 0)
    ) {
      findings.error('index postings table out of order', source.name, b.at);
    }
  }
  return entries;
}

async function readList(
  { window, layout, findings, source }: IndexCheck,
  { list }: TableEntry,
): Promise<Uint32Array | null> {
  const { postings } = layout.toc;
  const limit = sectionEnd(layout, postings);
  if (list < postings || list >= limit) {
    findings.error('index postings list outside its section', source.name, list);
    return null;
  }
  const frame = await frameAt(window, POSTINGS_FRAME, list, limit);
  const ids = typeof frame === 'string' ? frame : postingIds(frame.payload);
  if (typeof ids !== 'string') return ids;
  findings.error(`index postings list ${ids}`, source.name, list);
  return null;
}

/** The ids of a posting list's payload, or what is wrong with it. */
function postingIds(payload: Uint8Array): Uint32Array | string {
  const buffer = new ReadBuffer(payload);
  const count = buffer.u32();
  if (payload.length !== 4 + count * 4) return 'has a wrong length';
  const ids = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    ids[i] = buffer.u32();
    if (i > 0 && ids[i]! <= ids[i - 1]!) return 'is out of order';
  }
  return ids;
}
