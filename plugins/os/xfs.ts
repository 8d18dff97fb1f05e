// Operations of each XFS file system, from /sys/fs/xfs/<device>/stats/stats (fs/xfs/xfs_stats.c of the
// kernel).

import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { DirectoryRows } from './directory-rows.ts';
import { type LabelledLine, reportLines } from './labelled-lines.ts';

/** By line of the file: prefix of the names, then a name for each column that is exposed. */
const LINES: readonly (readonly [label: string, prefix: string, columns: string])[] = [
  [
    'extent_alloc',
    'extent_allocation',
    'extents_allocated blocks_allocated extents_freed blocks_freed',
  ],
  ['abt', 'allocation_btree', 'lookups compares records_inserted records_deleted'],
  [
    'blk_map',
    'block_mapping',
    'reads writes unmaps extent_list_insertions extent_list_deletions extent_list_lookups ' +
      'extent_list_compares',
  ],
  ['bmbt', 'block_map_btree', 'lookups compares records_inserted records_deleted'],
  ['dir', 'directory_operation', 'lookup create remove getdents'],
  ['ig', 'inode_operation', 'attempts found recycled missed duplicates reclaims attribute_changes'],
  ['rw', '', 'write_calls read_calls'],
  ['vnodes', 'vnode', 'active allocate get hold release reclaim remove'],
];

export const xfs = defineCollector({
  name: 'xfs',
  help: 'Operations of XFS file systems.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const path = join(files.roots.sysfs, 'fs/xfs');
    const rows = new DirectoryRows({
      files,
      path,
      // "stats" is the sum of all and is exposed by nobody.
      wanted: name => name !== 'stats',
      make: name => newDevice(files, metrics, join(path, name), name),
      drop: device => files.forget(device.file),
    });
    return time => {
      for (const { file, lines } of rows.at(time) ?? []) {
        const scanner = file.readIfPresent();
        if (scanner) reportLines(scanner, lines);
      }
    };
  },
});

function newDevice(files: Files, metrics: Metrics, directory: string, device: string) {
  const lines = LINES.map(([label, prefix, columns]): LabelledLine => {
    const series = columns.split(' ').map(column => {
      const name = `node_xfs_${prefix === '' ? '' : `${prefix}_`}${column}_total`;
      const help = `Counter ${column} of the line ${label} of XFS statistics.`;
      return metrics.counter({ name, help, labels: ['device'] }).with(device);
    });
    return { label, columns: series };
  });
  return { file: files.file(join(directory, 'stats/stats')), lines };
}
