// Interrupts by line and CPU, from /proc/interrupts. Where lines times CPUs would make too many series,
// the lines with most interrupts when the collector starts keep their own and the others are summed for
// each CPU. The choice then stands: a sum that lost a line would look like a restart.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector } from '../sdk/collector.ts';
import type { Family, Series } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { flag, number, pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { CpuColumns } from './cpu-columns.ts';

const LABELS = ['cpu', 'type', 'info', 'devices'] as const;
const OTHER = 'other';

/** The series of a line's columns; null where it is left out. */
interface Line {
  readonly columns: readonly Series[] | null;
  readonly isOther: boolean;
}

export const interrupts = defineCollector({
  name: 'interrupts',
  help: 'Interrupts by line and CPU.',
  defaultEnabled: true,
  options: {
    nameInclude: pattern(
      'Lines to expose, as name;info;devices; takes the place of nameExclude.',
      '',
    ),
    nameExclude: pattern('Lines to leave out, as name;info;devices.', ''),
    includeZeros: flag('Expose lines that never had an interrupt on a CPU.', true),
    seriesMax: number('Beyond, lines with few interrupts become one, called other.', 1000, {
      min: 1,
      max: 1_000_000,
    }),
  },
  open({ files, metrics, options }) {
    const family = metrics.counter({
      name: 'node_interrupts_total',
      help: 'Interrupts by line and CPU.',
      labels: LABELS,
    });
    const file = files.proc('interrupts');
    const columns = new CpuColumns();
    let table: Table | null = null;
    let version = 0;
    return () => {
      let scanner = file.read();
      columns.read(scanner);
      if (table === null || columns.version !== version) {
        version = columns.version;
        table = new Table(family, columns.cpus, {
          wanted: newNameFilter(options.nameInclude, options.nameExclude),
          includeZeros: options.includeZeros,
          chosen: chooseLines(scanner, columns.cpus.length, options.seriesMax),
        });
        scanner = file.read();
        scanner.line();
      }
      table.report(scanner);
    };
  },
});

class Table {
  readonly #family: Family<typeof LABELS>;
  readonly #cpus: readonly string[];
  readonly #wanted: (name: string) => boolean;
  readonly #includeZeros: boolean;
  readonly #chosen: ReadonlySet<string> | null;
  readonly #lines: RowCache<RowCache<Line>>;
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  constructor(
    family: Family<typeof LABELS>,
    cpus: readonly string[],
    is: {
      readonly wanted: (name: string) => boolean;
      readonly includeZeros: boolean;
      readonly chosen: ReadonlySet<string> | null;
    },
  ) {
    this.#family = family;
    this.#cpus = cpus;
    this.#wanted = is.wanted;
    this.#includeZeros = is.includeZeros;
    this.#chosen = is.chosen;
    this.#counts = new Float64Array(cpus.length);
    this.#sums = new Float64Array(cpus.length);
    // A line's number may be given to another device, so its words are part of what it is.
    this.#lines = new RowCache(name => new RowCache(words => this.#newLine(name, words)));
  }

  report(scanner: ByteScanner): void {
    const counts = this.#counts;
    this.#sums.fill(0);
    let others = 0;
    for (let position = 0; scanner.line(); position++) {
      if (!scanner.wordBefore(':')) continue;
      const line = this.#lines.at(position, scanner);
      let count = 0;
      while (count < counts.length && scanner.word()) counts[count++] = scanner.value();
      // ERR and MIS are one number for all CPUs and have no words.
      if (count < counts.length || !scanner.restOfLine()) continue;
      const { columns, isOther } = line.at(0, scanner);
      line.sweep();
      if (isOther) others++;
      for (let i = 0; i < counts.length; i++) {
        if (isOther) this.#sums[i]! += counts[i]!;
        else if (this.#includeZeros || counts[i] !== 0) columns?.[i]?.set(counts[i]!);
      }
    }
    this.#lines.sweep();
    if (others === 0) return;
    for (const [i, cpu] of this.#cpus.entries()) {
      this.#family.with(cpu, OTHER, '', '').set(this.#sums[i]!);
    }
  }

  #newLine(name: string, words: string): Line {
    const [info, devices] = describeLine(name, words);
    const isWanted = this.#wanted(`${name};${info};${devices}`);
    const isOther = isWanted && this.#chosen !== null && !this.#chosen.has(name);
    if (!isWanted || isOther) return { columns: null, isOther };
    const columns = this.#cpus.map(cpu => this.#family.with(cpu, name, info, devices));
    return { columns, isOther };
  }
}

/** A numbered line has its controller first and then its devices; a named one has a sentence. */
export function describeLine(
  name: string,
  words: string,
): readonly [info: string, devices: string] {
  const parts = words.trim().split(/\s+/);
  if (!/^\d+$/.test(name)) return [parts.join(' '), ''];
  return [parts[0]!, parts.slice(1).join(' ')];
}

/** The lines with most interrupts that fit into `seriesMax` series; null where all do. */
export function chooseLines(
  scanner: ByteScanner,
  cpus: number,
  seriesMax: number,
): ReadonlySet<string> | null {
  const totals: [string, number][] = [];
  while (scanner.line()) {
    if (!scanner.wordBefore(':')) continue;
    const name = scanner.text();
    let total = 0;
    for (let i = 0; i < cpus; i++) total += scanner.number() || 0;
    totals.push([name, total]);
  }
  if (totals.length * cpus <= seriesMax) return null;
  const count = Math.max(0, Math.floor(seriesMax / cpus) - 1);
  totals.sort((a, b) => b[1] - a[1]);
  return new Set(totals.slice(0, count).map(([name]) => name));
}
