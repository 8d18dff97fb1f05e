// Softirqs run on each CPU, from /proc/softirqs. Hosts with very many CPUs get their sums.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { number } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { CpuColumns } from './cpu-columns.ts';

export const softirqs = defineCollector({
  name: 'softirqs',
  help: 'Softirqs run on each CPU by kind.',
  defaultEnabled: true,
  options: {
    cpusMax: number('With more CPUs, sums over all are exposed as cpu="all".', 64, {
      min: 0,
      max: 4096,
    }),
  },
  open({ files, metrics, options }) {
    const functions = metrics.counter({
      name: 'node_softirqs_functions_total',
      help: 'Softirqs run.',
      labels: ['cpu', 'type'],
    });
    const columns = new CpuColumns();
    const file = files.proc('softirqs');
    const make = (type: string): readonly Series[] => {
      const cpus = columns.cpus.length > options.cpusMax ? ['all'] : columns.cpus;
      return cpus.map(cpu => functions.with(cpu, type));
    };
    let kinds = new RowCache(make);
    let version = 0;
    return () => {
      const scanner = file.read();
      columns.read(scanner);
      if (columns.version !== version) kinds = new RowCache(make);
      version = columns.version;
      for (let position = 0; scanner.line(); position++) {
        if (!scanner.wordBefore(':')) continue;
        const series = kinds.at(position, scanner);
        if (series.length === columns.cpus.length) {
          for (const one of series) one.set(scanner.number());
          continue;
        }
        let sum = 0;
        for (let i = 0; i < columns.cpus.length; i++) sum += scanner.number();
        series[0]?.set(sum);
      }
      kinds.sweep();
    };
  },
});
