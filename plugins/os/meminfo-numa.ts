// Memory of each NUMA node, from /sys/devices/system/node/node*/meminfo and numastat.

import { join } from 'node:path';
import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { DirectoryRows } from './directory-rows.ts';

const KIBIBYTE = 1024;

export const meminfoNuma = defineCollector({
  name: 'meminfo_numa',
  help: 'Memory in use, free and cached by NUMA node.',
  defaultEnabled: false,
  open({ files, metrics }) {
    const path = join(files.roots.sysfs, 'devices/system/node');
    const absent = new NoDataError(`no NUMA nodes: no ${path}`);
    const nodes = new DirectoryRows({
      files,
      path,
      wanted: name => /^node\d+$/.test(name),
      make: name => newNode(files, metrics, join(path, name), name.slice('node'.length)),
      drop: node => {
        files.forget(node.meminfo);
        files.forget(node.numastat);
      },
    });
    return time => {
      const rows = nodes.at(time);
      if (rows === null) throw absent;
      for (const { meminfo, fields, numastat, counters } of rows) {
        reportFields(meminfo.read(), fields);
        const scanner = numastat.read();
        for (let position = 0; scanner.line(); position++) {
          if (scanner.word()) counters.at(position, scanner).set(scanner.number());
        }
        counters.sweep();
      }
    };
  },
});

interface Node {
  readonly meminfo: PseudoFile;
  readonly fields: RowCache<Series>;
  readonly numastat: PseudoFile;
  readonly counters: RowCache<Series>;
}

function newNode(files: Files, metrics: Metrics, directory: string, node: string): Node {
  const labels = ['node'] as const;
  return {
    meminfo: files.file(join(directory, 'meminfo')),
    fields: new RowCache(field => {
      // "Active(anon)" is Active_anon.
      const name = field.replace(/\((.*)\)/, '_$1');
      const help = `Field ${field} of the node's meminfo.`;
      return metrics.gauge({ name: `node_memory_numa_${name}`, help, labels }).with(node);
    }),
    numastat: files.file(join(directory, 'numastat')),
    counters: new RowCache(counter => {
      const help = `Counter ${counter} of the node's numastat.`;
      return metrics
        .counter({ name: `node_memory_numa_${counter}_total`, help, labels })
        .with(node);
    }),
  };
}

/** Lines such as "Node 0 MemFree:  1024 kB". */
function reportFields(scanner: ByteScanner, fields: RowCache<Series>): void {
  for (let position = 0; scanner.line(); position++) {
    scanner.skip(2);
    if (!scanner.wordBefore(':')) continue;
    const series = fields.at(position, scanner);
    const value = scanner.number();
    const factor = scanner.word() && scanner.is('kB') ? KIBIBYTE : 1;
    series.set(value * factor);
  }
  fields.sweep();
}
