// Space, devices, errors and commits of Btrfs file systems, from /sys/fs/btrfs/<uuid>.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';

const SECTOR_BYTES = 512;
const MILLISECONDS = 1000;
const BLOCK_GROUPS = ['data', 'metadata', 'system'] as const;
const COMMITS: readonly (readonly [string, string, string, number])[] = [
  ['commits', 'commits_total', 'Commits.', 1],
  ['last_commit_ms', 'last_commit_seconds', 'How long the last commit took.', MILLISECONDS],
  ['max_commit_ms', 'max_commit_seconds', 'How long the slowest commit took.', MILLISECONDS],
  ['total_commit_ms', 'commit_seconds_total', 'How long all commits took.', MILLISECONDS],
];
const ERRORS = ['write', 'read', 'flush', 'corruption', 'generation'] as const;

export const btrfs = defineCollector({
  name: 'btrfs',
  help: 'Space, devices, errors and commits of Btrfs file systems.',
  defaultEnabled: true,
  intervalMs: 10_000,
  open({ files, metrics }) {
    const parent = join(files.roots.sysfs, 'fs/btrfs');
    const report = newReport(files, metrics);
    return () => {
      for (const name of files.list(parent)) {
        if (name.includes('-')) report(join(parent, name), name);
      }
    };
  },
});

type Gauge = ReturnType<typeof newFamilies>;

function newFamilies(metrics: Metrics) {
  const gauge = <const L extends readonly string[]>(name: string, help: string, labels: L) =>
    metrics.gauge({ name: `node_btrfs_${name}`, help, labels: ['uuid', ...labels] });
  const space = ['block_group_type', 'mode'] as const;
  return {
    info: gauge('info', 'A Btrfs file system; always 1.', ['label']),
    reserve: gauge('global_rsv_size_bytes', 'Size of the global reserve.', []),
    reserved: gauge('reserved_bytes', 'Space reserved.', ['block_group_type']),
    used: gauge('used_bytes', 'Space used.', space),
    size: gauge('size_bytes', 'Space allocated.', space),
    ratio: gauge('allocation_ratio', 'Bytes on disks for each byte of data.', space),
    deviceSize: gauge('device_size_bytes', 'Size of the device.', ['device']),
    errors: metrics.counter({
      name: 'node_btrfs_device_errors_total',
      help: 'Errors of the device, by what it was doing.',
      labels: ['uuid', 'devid', 'type'],
    }),
    commits: COMMITS.map(([key, name, help, divisor]) => {
      const description = { name: `node_btrfs_${name}`, help, labels: ['uuid'] } as const;
      const isCounter = name.endsWith('_total');
      const family = isCounter ? metrics.counter(description) : metrics.gauge(description);
      return { key, divisor, family };
    }),
  };
}

function newReport(files: Files, metrics: Metrics): (directory: string, name: string) => void {
  const families = newFamilies(metrics);
  return (directory, name) => {
    const uuid = files.text(join(directory, 'metadata_uuid')) || name;
    families.info.with(uuid, files.text(join(directory, 'label')) ?? '').set(1);
    const number = (...path: string[]) => Number(files.text(join(directory, ...path)) ?? 0);
    families.reserve.with(uuid).set(number('allocation/global_rsv_size'));
    const devices = files.list(join(directory, 'devices'));
    for (const device of devices) {
      const bytes = SECTOR_BYTES * number('devices', device, 'size');
      families.deviceSize.with(uuid, device).set(bytes);
    }
    for (const group of BLOCK_GROUPS) {
      const path = join('allocation', group);
      families.reserved.with(uuid, group).set(number(path, 'bytes_reserved'));
      for (const mode of directories(files, join(directory, path))) {
        families.used.with(uuid, group, mode).set(number(path, mode, 'used_bytes'));
        families.size.with(uuid, group, mode).set(number(path, mode, 'total_bytes'));
        families.ratio.with(uuid, group, mode).set(allocationRatio(mode, devices.length));
      }
    }
    reportCommits(files.text(join(directory, 'commit_stats')) ?? '', uuid, families);
    for (const id of files.list(join(directory, 'devinfo'))) {
      const errors = pairs(files.text(join(directory, 'devinfo', id, 'error_stats')) ?? '');
      for (const type of ERRORS) {
        const count = errors.get(`${type}_errs`);
        if (count !== undefined) families.errors.with(uuid, id, type).set(count);
      }
    }
  };
}

function reportCommits(text: string, uuid: string, families: Gauge): void {
  const found = pairs(text);
  for (const { key, divisor, family } of families.commits) {
    family.with(uuid).set((found.get(key) ?? 0) / divisor);
  }
}

/** Lines of a name and a number. */
function pairs(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split('\n').map(line => {
      const [name, value] = line.split(/\s+/);
      return [name!, Number(value)] as const;
    }),
  );
}

function directories(files: Files, path: string): string[] {
  return files.list(path).filter(name => statSync(join(path, name)).isDirectory());
}

/** Bytes a profile keeps on disks for each byte of data; 0 for one that is not known. */
export function allocationRatio(mode: string, devices: number): number {
  switch (mode) {
    case 'single':
    case 'raid0':
      return 1;
    case 'dup':
    case 'raid1':
    case 'raid10':
      return 2;
    case 'raid1c3':
      return 3;
    case 'raid1c4':
      return 4;
    case 'raid5':
      return devices / (devices - 1);
    case 'raid6':
      return devices / (devices - 2);
    default:
      return 0;
  }
}
