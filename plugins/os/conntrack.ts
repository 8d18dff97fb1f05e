// The connection tracking table, from /proc/sys/net/netfilter, and its statistics summed over CPUs from
// /proc/net/stat/nf_conntrack: a heading that names the columns, then a line of hexadecimal numbers a CPU.

import { defineCollector } from '../sdk/collector.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { requirePath } from './absence.ts';

/** Statistics that are exposed; node_exporter calls them gauges, though they only grow. */
const STATISTICS: Readonly<Record<string, string>> = {
  found: 'Lookups that found an entry.',
  invalid: 'Packets that could not be tracked.',
  ignore: 'Packets of connections that were tracked already.',
  insert: 'Entries inserted.',
  insert_failed: 'Entries that could not be inserted.',
  drop: 'Packets dropped for want of an entry.',
  early_drop: 'Entries dropped to make room for new ones.',
  search_restart: 'Lookups begun again because the table was resized.',
};

interface Column {
  readonly series: Series;
  sum: number;
}

export const conntrack = defineCollector({
  name: 'conntrack',
  help: 'Entries of the connection tracking table, its limit and statistics.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const entries = gauge(metrics, 'entries', 'Connections that are tracked.');
    const limit = gauge(metrics, 'entries_limit', 'Connections that can be tracked.');
    const count = files.proc('sys/net/netfilter/nf_conntrack_count');
    const max = files.proc('sys/net/netfilter/nf_conntrack_max');
    const statistics = files.proc('net/stat/nf_conntrack');
    const check = requirePath(count.path, 'connection tracking is not loaded');
    const columns = new RowCache<Column | null>(name => {
      const help = STATISTICS[name];
      return help === undefined ? null : { series: gauge(metrics, `stat_${name}`, help), sum: 0 };
    });
    const inOrder: (Column | null)[] = [];
    return time => {
      check(time);
      setNumber(entries, count.readNumber());
      setNumber(limit, max.readNumber());
      const scanner = statistics.readIfPresent();
      if (scanner === null) return;
      inOrder.length = 0;
      for (scanner.line(); scanner.word(); ) inOrder.push(columns.at(inOrder.length, scanner));
      columns.sweep();
      while (scanner.line()) {
        for (const column of inOrder) {
          const value = scanner.hex();
          if (column !== null && !Number.isNaN(value)) column.sum += value;
        }
      }
      for (const column of inOrder) {
        if (column === null) continue;
        column.series.set(column.sum);
        column.sum = 0;
      }
    };
  },
});

function gauge(metrics: Metrics, name: string, help: string): Series {
  return metrics.gauge({ name: `node_nf_conntrack_${name}`, help }).with();
}

function setNumber(series: Series, value: number): void {
  if (!Number.isNaN(value)) series.set(value);
}
