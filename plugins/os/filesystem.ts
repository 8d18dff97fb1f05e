// Space and inodes of mounted file systems, by the mount table of the first process. A mount that does not
// answer is exposed with device_error="mountpoint timeout" and delays nothing.

import { statfs, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { type Collector, defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { number, pattern } from '../sdk/options.ts';
import {
  type AskStatfs,
  askAll,
  type MountAnswer,
  MountProbe,
  ProbePool,
  problemText,
} from './mount-probe.ts';
import { type Mount, mayHang, parseMounts } from './mounts.ts';

const OPTIONS = {
  mountPointsInclude: pattern('Mount points to expose; takes the place of the exclusion.', ''),
  mountPointsExclude: pattern(
    'Mount points to leave out.',
    '^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
  ),
  fsTypesInclude: pattern('File system types to expose; takes the place of the exclusion.', ''),
  fsTypesExclude: pattern(
    'File system types to leave out: those without space of their own by default.',
    '^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|' +
      'mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|' +
      'tracefs)$',
  ),
  mountTimeoutSeconds: number('Silence after which a mount counts as dead.', 5, {
    min: 0.1,
    max: 60,
  }),
};

/** The collector, over a statfs of the caller's choice. */
export function newFilesystem(ask: AskStatfs): Collector {
  return defineCollector({
    name: 'filesystem',
    help: 'Space and inodes of mounted file systems.',
    defaultEnabled: true,
    options: OPTIONS,
    open({ files, metrics, options, clock }) {
      const mountWanted = newNameFilter(options.mountPointsInclude, options.mountPointsExclude);
      const typeWanted = newNameFilter(options.fsTypesInclude, options.fsTypesExclude);
      const families = newFamilies(metrics);
      const pool = new ProbePool(ask, clock, options.mountTimeoutSeconds * 1000);
      const file = mountInfo(files);
      let table: Uint8Array = new Uint8Array(0);
      let mounted: Mounted[] = [];
      let probes: MountProbe[] = [];
      const report = (): void => {
        for (const mount of mounted) mount.report();
      };
      return () => {
        const scanner = file.read();
        if (!scanner.isWholly(table)) {
          table = scanner.copyAll();
          const mounts = parseMounts(scanner).map(mount => belowRoot(mount, files.roots.rootfs));
          const wanted = mounts.filter(it => mountWanted(it.mountPoint) && typeWanted(it.type));
          mounted = follow(mounted, unique(wanted), mount => {
            const path = join(files.roots.rootfs, mount.path);
            const probe = mayHang(mount, mounts) ? new MountProbe(pool, path) : null;
            return new Mounted(mount, { path, families, probe });
          });
          probes = mounted.flatMap(({ probe }) => probe ?? []);
        }
        if (probes.length > 0) return askAll(probes, clock).then(report);
        report();
      };
    },
  });
}

export const filesystem = newFilesystem((path, done) => statfs(path, done));

type Families = ReturnType<typeof newFamilies>;

function newFamilies(metrics: Metrics) {
  const gauge = (name: string, help: string) =>
    metrics.gauge({
      name: `node_filesystem_${name}`,
      help,
      labels: ['device', 'mountpoint', 'fstype', 'device_error'],
    });
  return {
    size: gauge('size_bytes', 'Size of the file system.'),
    free: gauge('free_bytes', 'Free space, what only root may use included.'),
    avail: gauge('avail_bytes', 'Space that anybody may use.'),
    files: gauge('files', 'Inodes there are.'),
    filesFree: gauge('files_free', 'Inodes that are free.'),
    readOnly: gauge('readonly', 'Whether the file system is mounted or has become read-only (1).'),
    deviceError: gauge('device_error', 'Whether the file system could not be asked (1).'),
    mountInfo: metrics.gauge({
      name: 'node_filesystem_mount_info',
      help: 'Device numbers of the mount; always 1.',
      labels: ['device', 'major', 'minor', 'mountpoint'],
    }),
  };
}

/** A mount and its series. */
class Mounted {
  readonly mount: Mount;
  readonly probe: MountProbe | null;
  readonly #path: string;
  readonly #families: Families;
  readonly #series: Record<Exclude<keyof Families, 'mountInfo'>, Series>;
  readonly #info: Series;

  constructor(
    mount: Mount,
    tools: { readonly path: string; families: Families; probe: MountProbe | null },
  ) {
    const { families } = tools;
    this.mount = mount;
    this.probe = tools.probe;
    this.#path = tools.path;
    this.#families = families;
    const { device, mountPoint, type } = mount;
    this.#series = {
      size: families.size.with(device, mountPoint, type, ''),
      free: families.free.with(device, mountPoint, type, ''),
      avail: families.avail.with(device, mountPoint, type, ''),
      files: families.files.with(device, mountPoint, type, ''),
      filesFree: families.filesFree.with(device, mountPoint, type, ''),
      readOnly: families.readOnly.with(device, mountPoint, type, ''),
      deviceError: families.deviceError.with(device, mountPoint, type, ''),
    };
    this.#info = families.mountInfo.with(device, mount.major, mount.minor, mountPoint);
  }

  report(): void {
    const answer = this.probe === null ? this.#askNow() : this.probe.answer;
    if ('unknown' in answer) return;
    const readOnly = this.mount.readOnly ? 1 : 0;
    if ('problem' in answer) {
      const { device, mountPoint, type } = this.mount;
      this.#families.deviceError.with(device, mountPoint, type, answer.problem).set(1);
      this.#families.readOnly.with(device, mountPoint, type, answer.problem).set(readOnly);
      return;
    }
    const { bsize, blocks, bfree, bavail, files, ffree } = answer.stats;
    this.#series.deviceError.set(0);
    this.#series.readOnly.set(readOnly);
    this.#series.size.set(blocks * bsize);
    this.#series.free.set(bfree * bsize);
    this.#series.avail.set(bavail * bsize);
    this.#series.files.set(files);
    this.#series.filesFree.set(ffree);
    this.#info.set(1);
  }

  #askNow(): MountAnswer {
    try {
      return { stats: statfsSync(this.#path) };
    } catch (error) {
      return { problem: problemText(error as Error) };
    }
  }
}

/** The first process sees the host's mounts; where it is hidden, our own are the next best. */
function mountInfo(files: Files) {
  const first = files.proc('1/mountinfo');
  try {
    first.read();
    return first;
  } catch {
    return files.proc('self/mountinfo');
  }
}

function belowRoot(mount: Mount, root: string): Mount {
  if (root === '/') return mount;
  const strip = (path: string): string =>
    path === root ? '/' : path.startsWith(`${root}/`) ? path.slice(root.length) : path;
  return { ...mount, mountPoint: strip(mount.mountPoint), path: strip(mount.path) };
}

function key({ device, mountPoint, type, major, minor, readOnly }: Mount): string {
  return [device, mountPoint, type, major, minor, readOnly].join('\0');
}

/** A mount made twice with the same labels is exposed once. */
function unique(mounts: readonly Mount[]): Mount[] {
  const labels = ({ device, mountPoint, type }: Mount): string =>
    [device, mountPoint, type].join('\0');
  return [
    ...new Map([...mounts].reverse().map(mount => [labels(mount), mount])).values(),
  ].reverse();
}

/** Keeps what is known of mounts that are still there, an open question to a dead server above all. */
function follow(
  before: readonly Mounted[],
  mounts: readonly Mount[],
  make: (mount: Mount) => Mounted,
): Mounted[] {
  const known = new Map(before.map(mounted => [key(mounted.mount), mounted]));
  return mounts.map(mount => known.get(key(mount)) ?? make(mount));
}
