// Statistics of the kernel's network caches, from the files of /proc/net/stat: names above a line of
// hexadecimal numbers for each CPU.

import { join } from 'node:path';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { number } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { DirectoryRows } from './directory-rows.ts';

interface Table {
  readonly file: PseudoFile;
  /** By heading, the series of each column by CPU. */
  readonly columns: RowCache<Column>;
  readonly inOrder: Column[];
}

interface Column {
  readonly byCpu: Series[];
  readonly at: (cpu: number) => Series;
}

export const lnstat = defineCollector({
  name: 'lnstat',
  help: 'Statistics of the network caches of the kernel.',
  defaultEnabled: false,
  options: {
    cpusMax: number('CPUs beyond are left out.', 64, { min: 1, max: 4096 }),
  },
  open({ files, metrics, options }) {
    const path = join(files.roots.procfs, 'net/stat');
    const absent = new NoDataError(`no ${path}`);
    const tables = new DirectoryRows({
      files,
      path,
      make: name => newTable(files, metrics, join(path, name), name),
      drop: table => files.forget(table.file),
    });
    return time => {
      const rows = tables.at(time);
      if (rows === null) throw absent;
      for (const table of rows) report(table, options.cpusMax);
    };
  },
});

function newTable(files: Files, metrics: Metrics, path: string, subsystem: string): Table {
  const columns = new RowCache<Column>(name => {
    const family = metrics.counter({
      name: `node_lnstat_${name}_total`,
      help: `Statistic ${name} of the cache.`,
      labels: ['subsystem', 'cpu'],
    });
    return { byCpu: [], at: cpu => family.with(subsystem, String(cpu)) };
  });
  return { file: files.file(path), columns, inOrder: [] };
}

function report({ file, columns, inOrder }: Table, cpusMax: number): void {
  const scanner = file.readIfPresent();
  if (scanner === null) return;
  inOrder.length = 0;
  for (scanner.line(); scanner.word(); ) inOrder.push(columns.at(inOrder.length, scanner));
  columns.sweep();
  for (let cpu = 0; cpu < cpusMax && scanner.line(); cpu++) {
    for (const { byCpu, at } of inOrder) {
      byCpu[cpu] ??= at(cpu);
      byCpu[cpu]!.set(scanner.hex());
    }
  }
}
