// Compares what the agent exposes with what a node_exporter on the same host exposes. The agent is read
// before and after the other, so that a value is right where it lies between the two readings.

import type { ExposedFamily } from './exposed-metrics.ts';

/** Three readings, in this order of time. */
export interface Readings {
  readonly before: ReadonlyMap<string, ExposedFamily>;
  readonly other: ReadonlyMap<string, ExposedFamily>;
  readonly after: ReadonlyMap<string, ExposedFamily>;
}

/** Counts for the families whose names begin alike, as in node_memory. */
export interface ComparisonRow {
  readonly group: string;
  /** Families of the other, and how many of them the agent has with the same type. */
  families: number;
  sameFamilies: number;
  /** Series of the other, and how many of them the agent has. */
  series: number;
  sameSeries: number;
  /** How many of the common series have a value within the drift. */
  closeValues: number;
}

/** What is not the same, one sentence each. */
export interface Comparison {
  readonly rows: readonly ComparisonRow[];
  readonly differences: readonly string[];
  /** Families only the agent has. */
  readonly additional: readonly string[];
}

/** Metrics of the exporter's own process, which say nothing of the host. */
const OWN =
  /^(go_|process_|promhttp_|node_scrape_collector_duration_seconds$|node_exporter_build_info$)/;

/**
 * Families of `other` that tell of the host, against the two readings of the agent. `drift` is the share of
 * a value by which it may lie outside of them: gauges move between the readings as well.
 */
export function compareReadings({ before, other, after }: Readings, drift: number): Comparison {
  const rows = new Map<string, ComparisonRow>();
  const differences: string[] = [];
  for (const [name, family] of [...other].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (OWN.test(name)) continue;
    const row = rowOf(rows, name);
    row.families++;
    row.series += family.values.size;
    const ours = after.get(name);
    if (ours === undefined) {
      differences.push(`${name}: the agent has none`);
      continue;
    }
    if (ours.type === family.type) row.sameFamilies++;
    else differences.push(`${name}: ${ours.type} instead of ${family.type}`);
    for (const [series, value] of family.values) {
      const last = ours.values.get(series);
      if (last === undefined) {
        differences.push(`${series}: the agent has no such series`);
        continue;
      }
      row.sameSeries++;
      const first = before.get(name)?.values.get(series) ?? last;
      if (isBetween(value, [first, last], drift)) row.closeValues++;
      else differences.push(`${series}: ${first} and ${last} around ${value}`);
    }
  }
  const additional = [...after.keys()].filter(name => name.startsWith('node_') && !other.has(name));
  return { rows: [...rows.values()], differences, additional: additional.sort() };
}

function isBetween(value: number, [a, b]: readonly [number, number], drift: number): boolean {
  if (Number.isNaN(value)) return Number.isNaN(a) || Number.isNaN(b);
  const room = drift * Math.max(Math.abs(a), Math.abs(b), Math.abs(value));
  return value >= Math.min(a, b) - room && value <= Math.max(a, b) + room;
}

function rowOf(rows: Map<string, ComparisonRow>, name: string): ComparisonRow {
  const group = name.split('_', 2).join('_');
  let row = rows.get(group);
  if (!row) {
    row = { group, families: 0, sameFamilies: 0, series: 0, sameSeries: 0, closeValues: 0 };
    rows.set(group, row);
  }
  return row;
}

/** The rows and their sum as a table. */
export function formatComparison({ rows, additional }: Comparison): string {
  const sum: ComparisonRow = {
    group: 'all',
    families: 0,
    sameFamilies: 0,
    series: 0,
    sameSeries: 0,
    closeValues: 0,
  };
  for (const row of rows) {
    sum.families += row.families;
    sum.sameFamilies += row.sameFamilies;
    sum.series += row.series;
    sum.sameSeries += row.sameSeries;
    sum.closeValues += row.closeValues;
  }
  const cells = [
    ['metrics', 'families', 'here', 'series', 'here', 'values within drift'],
    ...[...rows, sum].map(row => [
      row.group,
      ...[row.families, row.sameFamilies, row.series, row.sameSeries, row.closeValues].map(String),
    ]),
  ];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map(line => line[i]!.length)));
  const lines = cells.map(line =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n${additional.length} families of the agent are not there\n`;
}
