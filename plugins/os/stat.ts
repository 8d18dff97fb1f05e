// Interrupts, context switches, forks, boot time and processes from /proc/stat.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { flag } from '../sdk/options.ts';

/** The kernel's softirq vectors in the order of the softirq line, after its total. */
const VECTORS = [
  'hi',
  'timer',
  'net_tx',
  'net_rx',
  'block',
  'block_iopoll',
  'tasklet',
  'sched',
  'hrtimer',
  'rcu',
] as const;

export const stat = defineCollector({
  name: 'stat',
  help: 'Interrupts, context switches, forks, boot time, runnable and blocked processes.',
  defaultEnabled: true,
  options: { softirq: flag('Expose softirq counts by vector.', false) },
  open({ files, metrics, options }) {
    const file = files.proc('stat');
    const counter = (name: string, help: string): Series => metrics.counter({ name, help }).with();
    const gauge = (name: string, help: string): Series => metrics.gauge({ name, help }).with();
    const lines: readonly (readonly [string, Series])[] = [
      ['intr', counter('node_intr_total', 'Interrupts serviced.')],
      ['ctxt', counter('node_context_switches_total', 'Context switches.')],
      ['processes', counter('node_forks_total', 'Processes and threads made.')],
      ['btime', gauge('node_boot_time_seconds', 'When the host booted, Unix time.')],
      ['procs_running', gauge('node_procs_running', 'Processes that run or could.')],
      ['procs_blocked', gauge('node_procs_blocked', 'Processes that wait for I/O.')],
    ];
    const softirqs = metrics.counter({
      name: 'node_softirqs_total',
      help: 'Softirqs run.',
      labels: ['vector'],
    });
    const vectors = options.softirq ? VECTORS.map(name => softirqs.with(name)) : [];
    return () => {
      const scanner = file.read();
      while (scanner.line()) {
        if (!scanner.word() || scanner.startsWith('cpu')) continue;
        for (const [name, series] of lines) if (scanner.is(name)) series.set(scanner.number());
        if (scanner.is('softirq')) {
          scanner.skip(1);
          for (const vector of vectors) vector.set(scanner.number());
        }
      }
    };
  },
});
