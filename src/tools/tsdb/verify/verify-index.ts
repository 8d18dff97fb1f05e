// Checks an index file of format 1 or 2: every checksum, order and reference, and that the posting lists
// say what the series say. Symbols are held in memory.

import { compareStrings } from '../../../labels/compare.ts';
import type { ByteSource } from '../../../tsdb/byte-source.ts';
import { readLayout, SERIES_ALIGNMENT } from '../../../tsdb/index/format.ts';
import { walkSection } from '../../../tsdb/index/section.ts';
import { ByteWindow } from './byte-window.ts';
import type { Findings } from './findings.ts';
import { type FrameShape, frameAt } from './frame-walk.ts';
import { type IndexCheck, type SymbolTable, sectionEnd, verifyPadding } from './index-check.ts';
import type { ChunkReferences } from './index-contents.ts';
import { verifyPostings } from './verify-postings.ts';
import { verifySeries } from './verify-series.ts';

const HEADER_BYTES = 5;
const U32_FRAME: FrameShape = { length: 'u32', uncounted: 0 };

/** What was read of an index. */
export interface VerifiedIndex {
  readonly series: number;
  readonly ids: ReadonlySet<number>;
  readonly references: ChunkReferences;
}

/** How to check. */
export interface VerifyIndexOptions {
  readonly findings: Findings;
  readonly minTime: number;
  readonly maxTime: number;
  /** The format whatever the version byte says. */
  readonly version?: number;
  /** Told the offset reached. */
  readonly onBytes: (bytes: number) => void;
}

/** Checks everything; null where the file's fixed parts are damaged and nothing else can be found. */
export async function verifyIndex(
  source: ByteSource,
  options: VerifyIndexOptions,
): Promise<VerifiedIndex | null> {
  const { findings, minTime, maxTime, onBytes } = options;
  try {
    const read = await readLayout(source);
    const layout = { ...read, version: options.version ?? read.version };
    const window = new ByteWindow(source, onBytes);
    const idScale = layout.version === 1 ? 1 : SERIES_ALIGNMENT;
    const check: IndexCheck = { source, window, layout, idScale, findings, minTime, maxTime };
    const symbols = await verifySymbols(check);
    const series = await verifySeries(check, symbols);
    await verifyOldSections(check);
    await verifyPostings(check, symbols, series);
    return { series: series.ids.size, ids: series.ids, references: series.references };
  } catch (error) {
    findings.caught(error);
    return null;
  }
}

/** Checks and reads the symbols; null where they cannot be read. */
async function verifySymbols(check: IndexCheck): Promise<SymbolTable | null> {
  const { source, layout, findings } = check;
  const start = layout.toc.symbols;
  const texts: string[] = [];
  const offsets = new Map<number, number>();
  try {
    const { end } = await walkSection(source, {
      what: 'index symbol table',
      start,
      limit: sectionEnd(layout, start),
      residentBytesMax: 0,
      begin: () => {},
      entry(buffer, base) {
        const offset = base + buffer.offset;
        const text = buffer.string();
        if (buffer.error !== null) return false;
        const before = texts.at(-1);
        if (before !== undefined && compareStrings(before, text) >= 0) {
          findings.error('index symbols out of order', source.name, offset);
        }
        if (layout.version === 1) offsets.set(offset, texts.length);
        texts.push(text);
        return true;
      },
    });
    await verifyPadding(check, HEADER_BYTES, start);
    await verifyPadding(check, end + 4, layout.toc.series);
  } catch (error) {
    findings.caught(error);
    return null;
  }
  const ordinals = new Map(texts.map((text, i) => [text, i]));
  return {
    texts,
    ordinalOf: ref => (layout.version === 1 ? (offsets.get(ref) ?? -1) : ref in texts ? ref : -1),
    find: text => ordinals.get(text) ?? -1,
  };
}

/** Label index sections, which older writers left and nobody reads: their checksums. */
async function verifyOldSections(check: IndexCheck): Promise<void> {
  const { window, layout, findings, source } = check;
  const { labelIndices, labelIndicesTable, postings, postingsTable } = layout.toc;
  const align = (offset: number): number => Math.ceil(offset / 4) * 4;
  const frames = async (start: number, end: number): Promise<void> => {
    for (let at = start; at < end; ) {
      const frame = await frameAt(window, U32_FRAME, at, end);
      if (typeof frame === 'string') {
        findings.error(`index label section ${frame}`, source.name, at);
        return;
      }
      at = align(frame.end);
    }
  };
  if (labelIndices > 0 && labelIndices !== postings) {
    const start = align(labelIndices);
    await verifyPadding(check, labelIndices, start);
    await frames(start, sectionEnd(layout, labelIndices));
  }
  if (labelIndicesTable > 0 && labelIndicesTable !== postingsTable) {
    await frames(labelIndicesTable, sectionEnd(layout, labelIndicesTable));
  }
}
