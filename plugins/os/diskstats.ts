// I/O of block devices from /proc/diskstats (Documentation/admin-guide/iostats.rst of the kernel), with
// what udev knows about the devices.

import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Series } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { type DiskIdentity, newDiskIdentity } from './disk-identity.ts';

const SECTOR_BYTES = 512;
const MILLISECOND = 0.001;
/** What udev and sysfs say of a disk changes seldom; a disk put in another's place is a new device. */
const IDENTITY_MS = 60_000;

/** The columns after the device's name: metric, factor to base units, help. Older kernels have fewer. */
const COLUMNS: readonly (readonly [string, number, string])[] = [
  ['reads_completed_total', 1, 'Reads that completed.'],
  ['reads_merged_total', 1, 'Reads that were merged into one request.'],
  ['read_bytes_total', SECTOR_BYTES, 'Bytes read.'],
  ['read_time_seconds_total', MILLISECOND, 'Time all reads took together.'],
  ['writes_completed_total', 1, 'Writes that completed.'],
  ['writes_merged_total', 1, 'Writes that were merged into one request.'],
  ['written_bytes_total', SECTOR_BYTES, 'Bytes written.'],
  ['write_time_seconds_total', MILLISECOND, 'Time all writes took together.'],
  ['io_now', 1, 'Requests in flight.'],
  ['io_time_seconds_total', MILLISECOND, 'Time in which the device had requests in flight.'],
  ['io_time_weighted_seconds_total', MILLISECOND, 'Time requests were in flight, each counted.'],
  ['discards_completed_total', 1, 'Discards that completed.'],
  ['discards_merged_total', 1, 'Discards that were merged into one request.'],
  ['discarded_sectors_total', 1, 'Sectors discarded.'],
  ['discard_time_seconds_total', MILLISECOND, 'Time all discards took together.'],
  ['flush_requests_total', 1, 'Flush requests that completed.'],
  ['flush_requests_time_seconds_total', MILLISECOND, 'Time all flush requests took together.'],
];

interface Disk {
  readonly name: string;
  readonly columns: readonly Series[];
  identity: readonly Series[];
  identityValues: readonly number[];
  /** When the identity was read, Unix ms. */
  identifiedAt: number;
}

export const diskstats = defineCollector({
  name: 'diskstats',
  help: 'Reads, writes, discards, flushes and busy time of each block device.',
  defaultEnabled: true,
  options: {
    deviceInclude: pattern('Devices to expose; takes the place of deviceExclude.', ''),
    deviceExclude: pattern(
      'Devices to leave out: RAM, loop and floppy disks and partitions by default.',
      '^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$',
    ),
  },
  open({ files, metrics, options }) {
    const wanted = newNameFilter(options.deviceInclude, options.deviceExclude);
    const families = COLUMNS.map(([name, , help]) => {
      const description = { name: `node_disk_${name}`, help, labels: ['device'] } as const;
      return name === 'io_now' ? metrics.gauge(description) : metrics.counter(description);
    });
    const identify = newDiskIdentity(metrics);
    const disks = new RowCache<Disk | null>(name => {
      if (!wanted(name)) return null;
      const columns = families.map(family => family.with(name));
      return { name, columns, identity: [], identityValues: [], identifiedAt: -Infinity };
    });
    const file = files.proc('diskstats');
    return time => {
      const scanner = file.read();
      for (let position = 0; scanner.line(); position++) {
        const major = scanner.number();
        const minor = scanner.number();
        if (!scanner.word()) continue;
        const disk = disks.at(position, scanner);
        if (disk === null) continue;
        for (let i = 0; i < disk.columns.length && scanner.word(); i++) {
          disk.columns[i]!.set(scanner.value() * COLUMNS[i]![1]);
        }
        if (Math.abs(time - disk.identifiedAt) >= IDENTITY_MS) {
          const found = readIdentity(files, disk.name, major, minor);
          [disk.identity, disk.identityValues] = identify(found);
          disk.identifiedAt = time;
        }
        for (let i = 0; i < disk.identity.length; i++) {
          disk.identity[i]!.set(disk.identityValues[i]!);
        }
      }
      disks.sweep();
    };
  },
});

function readIdentity(files: Files, name: string, major: number, minor: number): DiskIdentity {
  const udev = files.text(join(files.roots.udev, `b${major}:${minor}`)) ?? '';
  // sysfs writes the slash of a name such as cciss/c0d0 as an exclamation mark.
  const queue = join(files.roots.sysfs, 'block', name.replaceAll('/', '!'), 'queue/rotational');
  const rotational = files.text(queue) === '1';
  return { name, major, minor, rotational, properties: parseUdevProperties(udev) };
}

/** The device properties of a udev database entry: its lines `E:NAME=value`. */
export function parseUdevProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (line.startsWith('E:') && equals !== -1) {
      properties.set(line.slice(2, equals), line.slice(equals + 1));
    }
  }
  return properties;
}
