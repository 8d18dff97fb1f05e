// Free blocks of each size in each memory zone, from /proc/buddyinfo: how fragmented memory is.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';

export const buddyinfo = defineCollector({
  name: 'buddyinfo',
  help: 'Free memory blocks by zone and size.',
  defaultEnabled: true,
  intervalMs: 15_000,
  open({ files, metrics }) {
    const blocks = metrics.gauge({
      name: 'node_buddyinfo_blocks',
      help: 'Free blocks of 2 to the power of size pages.',
      labels: ['node', 'zone', 'size'],
    });
    const nodes = new RowCache(
      node => new RowCache<[string, string, Series[]]>(zone => [node, zone, []]),
    );
    const file = files.proc('buddyinfo');
    return () => {
      const scanner = file.read();
      for (let position = 0; scanner.line(); position++) {
        scanner.skip(1);
        if (!scanner.wordBefore(',')) continue;
        const zones = nodes.at(position, scanner);
        scanner.skip(1);
        if (!scanner.word()) continue;
        const [node, zone, sizes] = zones.at(position, scanner);
        for (let size = 0; scanner.word(); size++) {
          sizes[size] ??= blocks.with(node, zone, String(size));
          sizes[size]!.set(scanner.value());
        }
      }
      nodes.sweep();
    };
  },
});
