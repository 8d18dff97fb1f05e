// Checks the series section of an index, entry by entry, and collects what the entries say.

import { Labels } from '../../../labels/labels.ts';
import { SeriesEntries } from '../../../tsdb/index/series-entries.ts';
import { type FrameShape, frameAt, nextFrame } from './frame-walk.ts';
import { type IndexCheck, type SymbolTable, sectionEnd, verifyPadding } from './index-check.ts';
import { ChunkReferences, PairSets } from './index-contents.ts';

const SERIES_FRAME: FrameShape = { length: 'uvarint', uncounted: 0 };
const EVERYTHING = { minTime: Number.NEGATIVE_INFINITY, maxTime: Number.POSITIVE_INFINITY };

/** What the series section says. */
export interface VerifiedSeries {
  readonly ids: Set<number>;
  readonly references: ChunkReferences;
  /** Series of each label pair, by `pairOf`. */
  readonly pairs: PairSets;
  /** True where every entry could be read. */
  whole: boolean;
}

/** One number for a label pair, from the numbers of its strings. */
export function pairOf({ texts }: SymbolTable, name: number, value: number): number {
  return name * texts.length + value;
}

/** Walks the section. */
export async function verifySeries(
  check: IndexCheck,
  symbols: SymbolTable | null,
): Promise<VerifiedSeries> {
  const { window, layout, idScale, findings, source } = check;
  const out: VerifiedSeries = {
    ids: new Set(),
    references: new ChunkReferences(),
    pairs: new PairSets(),
    whole: true,
  };
  const align = (offset: number): number => Math.ceil(offset / idScale) * idScale;
  const end = sectionEnd(layout, layout.toc.series);
  let previous: Labels | null = null;
  let at = align(layout.toc.series);
  await verifyPadding(check, layout.toc.series, Math.min(at, end));
  while (at < end) {
    const frame = await frameAt(window, SERIES_FRAME, at, end);
    if (typeof frame === 'string') {
      findings.error(`index series ${frame}`, source.name, at);
      out.whole = false;
      previous = null;
      at = await nextFrame(window, SERIES_FRAME, {
        offset: at + idScale,
        step: idScale,
        limit: end,
      });
      continue;
    }
    const labels = verifyEntry(check, symbols, { payload: frame.payload, at }, out);
    if (labels && previous && previous.compareTo(labels) >= 0) {
      findings.error(`index series out of order: ${labels}`, source.name, at);
    }
    previous = labels;
    const next = align(frame.end);
    await verifyPadding(check, frame.end, Math.min(next, end));
    at = next;
  }
  return out;
}

/** Checks one entry; its labels, or null where they cannot be told. */
function verifyEntry(
  check: IndexCheck,
  symbols: SymbolTable | null,
  { payload, at }: { payload: Uint8Array; at: number },
  out: VerifiedSeries,
): Labels | null {
  const { idScale, findings, source } = check;
  const id = at / idScale;
  const entries = new SeriesEntries(Uint32Array.of(id));
  const isSymbol = (ref: number): boolean => symbols === null || symbols.ordinalOf(ref) >= 0;
  const problem = entries.add(payload, EVERYTHING, isSymbol);
  if (problem !== null) {
    findings.error(`index series ${problem}`, source.name, at);
    out.whole = false;
    return null;
  }
  out.ids.add(id);
  verifyChunkTimes(check, entries, at, out.references);
  if (!symbols) return null;
  const ordinals = entries.symbols.map(ref => symbols.ordinalOf(ref));
  for (let i = 0; i < ordinals.length; i += 2) {
    out.pairs.add(pairOf(symbols, ordinals[i]!, ordinals[i + 1]!), id);
  }
  const pairs = ordinals.map(ordinal => symbols.texts[ordinal]!);
  const labels = Labels.fromPairs(pairsOf(pairs));
  if (labels.pairs.length !== pairs.length || labels.pairs.some((text, i) => text !== pairs[i])) {
    findings.error(`index series has labels out of order: ${labels}`, source.name, at);
  }
  return labels;
}

function verifyChunkTimes(
  { findings, source, minTime, maxTime }: IndexCheck,
  { minTimes, maxTimes, places }: SeriesEntries,
  at: number,
  references: ChunkReferences,
): void {
  const last = Math.max(minTime, maxTime - 1);
  if (places.length === 0) findings.error('index series has no chunks', source.name, at);
  for (let i = 0; i < places.length; i++) {
    references.add(at, places[i]!, minTimes[i]!, maxTimes[i]!);
    if (i > 0 && minTimes[i]! <= maxTimes[i - 1]!) {
      findings.error('index series has chunks that overlap', source.name, at);
    }
    if (minTimes[i]! < minTime || maxTimes[i]! > last) {
      findings.error('index series has a chunk outside the block', source.name, at);
    }
  }
}

function* pairsOf(flat: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i]!, flat[i + 1]!];
}
