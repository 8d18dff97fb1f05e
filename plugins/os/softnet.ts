// What each CPU did with packets it received, from /proc/net/softnet_stat: lines of hexadecimal numbers
// (net/core/net-procfs.c of the kernel).

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';

/** Column, metric, help. */
const COLUMNS: readonly (readonly [number, string, string])[] = [
  [0, 'processed_total', 'Packets processed.'],
  [1, 'dropped_total', 'Packets dropped because the backlog was full.'],
  [2, 'times_squeezed_total', 'Times the budget was used up with packets left.'],
  [8, 'cpu_collision_total', 'Times a device lock was taken by another CPU.'],
  [9, 'received_rps_total', 'Times another CPU asked this one to process packets.'],
  [10, 'flow_limit_count_total', 'Times the limit of a flow was reached.'],
  [11, 'backlog_len', 'Packets in the backlog.'],
];
/** Newer kernels say here which CPU the line is of: those offline have none. */
const INDEX_COLUMN = 12;
/** More CPUs than a kernel can have; a line that tells a greater number is none of a CPU. */
const CPUS_MAX = 65_536;

export const softnet = defineCollector({
  name: 'softnet',
  help: 'Packets processed and dropped by each CPU.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const families = COLUMNS.map(([, name, help]) => {
      const description = { name: `node_softnet_${name}`, help, labels: ['cpu'] } as const;
      return name === 'backlog_len' ? metrics.gauge(description) : metrics.counter(description);
    });
    const cpus: Series[][] = [];
    const values = new Float64Array(INDEX_COLUMN + 1);
    const file = files.proc('net/softnet_stat');
    return () => {
      const scanner = file.read();
      for (let position = 0; scanner.line(); position++) {
        // Older kernels have fewer columns, which count as 0.
        values.fill(0);
        values[INDEX_COLUMN] = position;
        for (let column = 0; column < values.length && scanner.word(); column++) {
          values[column] = scanner.hexValue();
        }
        const cpu = values[INDEX_COLUMN]!;
        if (!(cpu < CPUS_MAX)) continue;
        cpus[cpu] ??= families.map(family => family.with(String(cpu)));
        for (let i = 0; i < COLUMNS.length; i++) cpus[cpu]![i]!.set(values[COLUMNS[i]![0]]!);
      }
    };
  },
});
