// Cardinality, churn and chunk fill of one block or head, as promtool's analysis shows them.

import { compareStrings } from '../../labels/compare.ts';
import { METRIC_NAME } from '../../labels/labels.ts';
import { goDuration } from './go-text.ts';
import type { FactsOptions, FactsSource, SeriesFacts } from './series-facts.ts';

/** A chunk with this many samples is full. */
const SAMPLES_PER_CHUNK = 120;
const FILL_BUCKETS = 10;

/** Something counted, the largest first. */
export interface Ranking {
  readonly title: string;
  readonly entries: readonly (readonly [key: string, count: number])[];
}

/** What was found. */
export interface Analysis {
  readonly name: string;
  readonly durationMs: number;
  readonly series: number;
  readonly labelNames: number;
  /** Distinct label pairs. */
  readonly pairs: number;
  /** Label pairs of all series together. */
  readonly pairEntries: number;
  readonly rankings: readonly Ranking[];
  /** Chunks by tenths of fullness; null where it was not asked for. */
  readonly fill: readonly number[] | null;
}

interface Tally {
  count: number;
  /** Ms of the source's range that its series do not cover, summed. */
  uncovered: number;
}

/** Reads every selected series once. In memory are the distinct label pairs. */
export async function analyze(source: FactsSource, options: FactsOptions): Promise<Analysis> {
  const durationMs = source.maxTime - source.minTime;
  const names = new Map<string, Map<string, Tally>>();
  const fill = new Array<number>(FILL_BUCKETS).fill(0);
  let series = 0;
  let pairEntries = 0;
  await source.visit(options, facts => {
    series++;
    pairEntries += facts.pairs.length / 2;
    tally(names, facts, durationMs - (facts.maxTime - facts.minTime));
    for (const samples of facts.chunkSamples) fill[fillBucket(samples)]!++;
  });
  let pairs = 0;
  for (const values of names.values()) pairs += values.size;
  return {
    name: source.name,
    durationMs,
    series,
    labelNames: names.size,
    pairs,
    pairEntries,
    rankings: rank(names, durationMs),
    fill: options.chunks ? fill : null,
  };
}

/** The analysis as text, with at most `limit` entries of each ranking. */
export function formatAnalysis(analysis: Analysis, limit: number): string {
  const lines = [
    `Block ID: ${analysis.name}`,
    `Duration: ${goDuration(analysis.durationMs)}`,
    `Series: ${analysis.series}`,
    `Label names: ${analysis.labelNames}`,
    `Postings (unique label pairs): ${analysis.pairs}`,
    `Postings entries (total label pairs): ${analysis.pairEntries}`,
  ];
  for (const { title, entries } of analysis.rankings) {
    lines.push('', `${title}:`);
    for (const [key, count] of entries.slice(0, limit)) lines.push(`${count} ${key}`);
  }
  if (analysis.fill) lines.push('', ...formatFill(analysis.fill));
  return `${lines.join('\n')}\n`;
}

function tally(
  names: Map<string, Map<string, Tally>>,
  { pairs }: SeriesFacts,
  uncovered: number,
): void {
  for (let i = 0; i < pairs.length; i += 2) {
    let values = names.get(pairs[i]!);
    if (!values) {
      values = new Map();
      names.set(pairs[i]!, values);
    }
    let found = values.get(pairs[i + 1]!);
    if (!found) {
      found = { count: 0, uncovered: 0 };
      values.set(pairs[i + 1]!, found);
    }
    found.count++;
    found.uncovered += uncovered;
  }
}

function rank(
  names: ReadonlyMap<string, ReadonlyMap<string, Tally>>,
  durationMs: number,
): Ranking[] {
  const churn = (uncovered: number): number => Math.trunc(uncovered / durationMs);
  const pairChurn: [string, number][] = [];
  const nameChurn: [string, number][] = [];
  const pairCount: [string, number][] = [];
  const bytes: [string, number][] = [];
  const cardinality: [string, number][] = [];
  for (const [name, values] of names) {
    let uncovered = 0;
    let length = 0;
    for (const [value, one] of values) {
      uncovered += one.uncovered;
      length += Buffer.byteLength(value);
      pairChurn.push([`${name}=${value}`, churn(one.uncovered)]);
      pairCount.push([`${name}=${value}`, one.count]);
    }
    nameChurn.push([name, churn(uncovered)]);
    bytes.push([name, length]);
    cardinality.push([name, values.size]);
  }
  const metrics = [...(names.get(METRIC_NAME) ?? [])].map(
    ([value, { count }]): [string, number] => [value, count],
  );
  return [
    ranking('Label pairs most involved in churning', pairChurn),
    ranking('Label names most involved in churning', nameChurn),
    ranking('Most common label pairs', pairCount),
    ranking('Label names with highest cumulative label value length', bytes),
    ranking('Highest cardinality labels', cardinality),
    ranking('Highest cardinality metric names', metrics),
  ];
}

function ranking(title: string, entries: [string, number][]): Ranking {
  return { title, entries: entries.sort((a, b) => b[1] - a[1] || compareStrings(a[0], b[0])) };
}

function fillBucket(samples: number): number {
  const part = Math.min(samples, SAMPLES_PER_CHUNK) / SAMPLES_PER_CHUNK;
  return Math.max(0, Math.ceil(part * FILL_BUCKETS) - 1);
}

function formatFill(fill: readonly number[]): string[] {
  const total = fill.reduce((sum, count) => sum + count, 0);
  const rows = fill.map((count, i) => {
    const percent = total === 0 ? 0 : Math.trunc((100 * count) / total);
    return `${String((i + 1) * 10).padStart(7)}%: ${'#'.repeat(percent)}`;
  });
  return [
    'Compaction analysis:',
    `Fullness: Amount of samples in chunks (100% is ${SAMPLES_PER_CHUNK} samples)`,
    ...rows,
  ];
}
