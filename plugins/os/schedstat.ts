// Time tasks ran on and waited for each CPU, from /proc/schedstat (Documentation/scheduler/sched-stats.rst).

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { requirePath } from './absence.ts';

const NANOSECONDS = 1e9;
/** Columns between the CPU's name and the three that are exposed. */
const COLUMNS_BEFORE = 6;

interface Cpu {
  readonly running: Series;
  readonly waiting: Series;
  readonly slices: Series;
}

export const schedstat = defineCollector({
  name: 'schedstat',
  help: 'Time tasks ran on and waited for each CPU.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const counter = (name: string, help: string) =>
      metrics.counter({ name: `node_schedstat_${name}`, help, labels: ['cpu'] });
    const running = counter('running_seconds_total', 'Time tasks ran on the CPU.');
    const waiting = counter('waiting_seconds_total', 'Time tasks waited for the CPU.');
    const slices = counter('timeslices_total', 'Time slices run on the CPU.');
    const file = files.proc('schedstat');
    const check = requirePath(file.path, 'the kernel keeps no scheduler statistics');
    const cpus = new RowCache<Cpu>(name => {
      const cpu = name.slice('cpu'.length);
      return {
        running: running.with(cpu),
        waiting: waiting.with(cpu),
        slices: slices.with(cpu),
      };
    });
    return time => {
      check(time);
      const scanner = file.read();
      for (let position = 0; scanner.line(); position++) {
        if (!scanner.word() || !scanner.startsWith('cpu')) continue;
        const cpu = cpus.at(position, scanner);
        scanner.skip(COLUMNS_BEFORE);
        cpu.running.set(scanner.number() / NANOSECONDS);
        cpu.waiting.set(scanner.number() / NANOSECONDS);
        cpu.slices.set(scanner.number());
      }
      cpus.sweep();
    };
  },
});
