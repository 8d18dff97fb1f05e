// OpenMetrics text into a backfill. The lines may come in any order; each sample needs its own time. Lines
// that cannot be taken are told with their numbers, and the rest is read on.

import { ExpositionParser } from '../../../exposition/parse.ts';
import { parseSeriesText } from '../../../exposition/series-text.ts';
import { METRIC_NAME } from '../../../labels/labels.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import { setStale } from '../../../storage/stale.ts';
import type { Backfill } from './backfill.ts';
import type { Refusals } from './refusals.ts';
import { type TextPiece, textPieces } from './text-pieces.ts';

/** How the text is read. */
export interface OpenMetricsOptions {
  readonly refusals: Refusals;
  /** True where NaN stands for a staleness marker, for which the format has no sign. */
  readonly staleNan: boolean;
  /** Told the bytes read so far. */
  readonly onBytes: (bytes: number) => void;
}

/** What was read beside samples. */
export interface OpenMetricsReport {
  /** Exemplars, which blocks do not hold. */
  exemplarsLeftOut: number;
}

const NO_TIME = 'a sample without a time: each line needs a timestamp in seconds';
const COMPOSITE = 'a histogram value in braces: blocks are made from float samples only';
// Without labels, the value's braces are where a label set could be.
const COMPOSITE_VALUE = /^[^"{]*\{count:/;

const stale = new Float64Array(1);
setStale(stale, 0);

/** Reads a whole text. Throws `bad-data` where its end mark is missing, as it is in a truncated file. */
export async function readOpenMetrics(
  source: AsyncIterable<Uint8Array>,
  backfill: Backfill,
  options: OpenMetricsOptions,
): Promise<OpenMetricsReport> {
  const { refusals, onBytes } = options;
  const report: OpenMetricsReport = { exemplarsLeftOut: 0 };
  const refuse = (line: number, reason: string): void => refusals.add(line, reason);
  let ended = false;
  for await (const piece of textPieces(source, onBytes, refuse)) {
    if (ended && piece.text.trim() !== '') {
      throw new OutpostError('bad-data', `line ${piece.linesBefore + 1}: text after # EOF`);
    }
    ended ||= await readPiece(piece, backfill, options, report);
  }
  if (!ended) {
    throw new OutpostError('bad-data', 'the text ends without # EOF: is the file truncated?');
  }
  return report;
}

/** True where the piece holds the end mark. */
async function readPiece(
  { text, linesBefore }: TextPiece,
  backfill: Backfill,
  options: OpenMetricsOptions,
  report: OpenMetricsReport,
): Promise<boolean> {
  const parser = new ExpositionParser(text, 'openmetrics', { linesBefore });
  for (;;) {
    const problem = readEntry(parser, backfill, options.staleNan, report);
    if (problem === END) return parser.ended;
    if (problem !== null && parser.ended) {
      throw new OutpostError('bad-data', `line ${parser.line}: ${problem}`);
    }
    if (problem !== null) options.refusals.add(parser.line, problem);
    if (backfill.full) await backfill.drain();
  }
}

const END = Symbol('end');

/** Reads the next entry: why it was refused, or null, or END. */
function readEntry(
  parser: ExpositionParser,
  backfill: Backfill,
  staleNan: boolean,
  report: OpenMetricsReport,
): string | null | typeof END {
  try {
    const kind = parser.next();
    if (kind === 'end') return END;
    if (kind !== 'sample') return null;
  } catch (error) {
    return reasonOf(error);
  }
  if (parser.hasExemplar) report.exemplarsLeftOut++;
  if (COMPOSITE_VALUE.test(parser.series)) return COMPOSITE;
  if (parser.time === null) return NO_TIME;
  const series = seriesOf(parser.series, backfill);
  if (typeof series === 'string') return series;
  const isStale = staleNan && Number.isNaN(parser.value);
  return backfill.add(series, parser.time, isStale ? stale[0]! : parser.value);
}

function seriesOf(text: string, { registry }: Backfill): number | string {
  const known = registry.spelled(text);
  if (known >= 0) return known;
  // A part of a larger string would keep all of that in memory.
  const own = Buffer.from(text).toString();
  const labels = parseSeriesText(own);
  if (typeof labels === 'string') return labels;
  if (!labels.has(METRIC_NAME)) return 'a sample without a metric name';
  const series = registry.numberOf(labels);
  if (typeof series === 'number') registry.spell(own, series);
  return series;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof OutpostError) || error.code !== 'bad-data') throw error;
  const reason = error.message.replace(/^parse exposition: line \d+: /, '');
  return reason.startsWith('value "{') ? COMPOSITE : reason;
}
