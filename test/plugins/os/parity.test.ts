// The collectors over the fixtures that node_exporter tests itself with: same names, types, labels and
// values as its expected exposition.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { osPlugin } from '../../../plugins/os/plugin.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { type Exposed, parseExposed } from './exposed.ts';
import { unpackTtar } from './ttar.ts';

const CORPUS = fileURLToPath(new URL('../../../../shared/corpora/node-exporter', import.meta.url));

/** Families by name prefix and the collector they belong to; a `$` ends a whole name. */
const FAMILIES: Readonly<Record<string, RegExp>> = {
  arp: /^node_arp_/,
  bcache: /^node_bcache_/,
  bcachefs: /^node_bcachefs_/,
  bonding: /^node_bonding_/,
  btrfs: /^node_btrfs_/,
  conntrack: /^node_nf_conntrack_/,
  cpu: /^node_cpu_(seconds_total|guest_seconds_total|info|flag_info|bug_info|frequency_hertz|isolated|online|(core|package)_throttles_total)$/,
  diskstats: /^node_disk_/,
  entropy: /^node_entropy_/,
  filefd: /^node_filefd_/,
  ipvs: /^node_ipvs_/,
  kernel_hung: /^node_kernel_hung_tasks_total$/,
  loadavg: /^node_load\d+$/,
  meminfo: /^node_memory_(?!numa_)/,
  netclass: /^node_network_(?!(receive|transmit)_(?!queue_length$))/,
  netdev: /^node_network_(receive|transmit)_\w+_total$/,
  netstat: /^node_netstat_(?!Tcp_MaxConn$)/,
  nfs: /^node_nfs_/,
  nfsd: /^node_nfsd_/,
  os: /^node_os_/,
  pressure: /^node_pressure_/,
  schedstat: /^node_schedstat_/,
  sockstat: /^node_sockstat_/,
  softnet: /^node_softnet_/,
  stat: /^node_(intr_total|context_switches_total|forks_total|boot_time_seconds|procs_(running|blocked)|softirqs_total)$/,
  time: /^node_time_/,
  udp_queues: /^node_udp_queues$/,
  vmstat: /^node_vmstat_/,
  xfs: /^node_xfs_/,
  buddyinfo: /^node_buddyinfo_/,
  cpu_vulnerabilities: /^node_cpu_vulnerabilities_/,
  interrupts: /^node_interrupts_/,
  ksmd: /^node_ksmd_/,
  meminfo_numa: /^node_memory_numa_/,
  processes: /^node_processes_/,
  softirqs: /^node_softirqs_functions_total$/,
  sysctl: /^node_sysctl_/,
  zoneinfo: /^node_zoneinfo_/,
  cgroups: /^node_cgroups_/,
  lnstat: /^node_lnstat_/,
  slabinfo: /^node_slabinfo_/,
  xfrm: /^node_xfrm_/,
  zfs: /^node_zfs_/,
};

/** What upstream drops before it compares, for it differs from run to run. */
const LIVE = /^node_(time_(zone|seconds)|network_(receive|transmit)_(bytes|packets)_total)/;

/** The recording was made with these flags of node_exporter. */
const COLLECTORS = {
  arp: { options: { deviceExclude: 'nope' } },
  bcache: { options: { priorityStats: true } },
  cgroups: { enabled: true },
  lnstat: { enabled: true },
  meminfo_numa: { enabled: true },
  slabinfo: { enabled: true },
  xfrm: { enabled: true },
  sysctl: {
    enabled: true,
    options: {
      include: 'fs.file-nr fs.file-nr:total,current,max kernel.threads-max',
      includeInfo: 'kernel.seccomp.actions_avail',
    },
  },
  zoneinfo: { options: { fields: '.' } },
  netclass: { options: { ignoredDevices: '(dmz|int)', ignoreInvalidSpeed: true } },
  cpu: {
    options: {
      flagsInclude: '^(aes|avx.?|constant_tsc)$',
      bugsInclude: '^(cpu_meltdown|spectre_.*|mds)$',
    },
  },
  stat: { options: { softirq: true } },
  netdev: { options: { deviceInclude: 'lo' } },
};

// Upstream asks the kernel of the machine that runs the test for the devices; the recording knows of a
// loopback device that has never failed.
const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0
`;

describe.skipIf(!existsSync(CORPUS))(
  'over the recorded tree of node_exporter (skipped where ../shared/corpora/node-exporter is absent)',
  () => {
    let root = '';
    let ours: ReadonlyMap<string, Exposed>;
    const theirs = existsSync(CORPUS)
      ? parseExposed(readFileSync(join(CORPUS, 'e2e-output.txt'), 'utf8'))
      : new Map<string, Exposed>();

    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'outpost-parity-'));
      cpSync(join(CORPUS, 'proc'), join(root, 'proc'), { recursive: true });
      unpackTtar(join(CORPUS, 'sys.ttar'), root);
      unpackTtar(join(CORPUS, 'udev.ttar'), root);
      chmodSync(join(root, 'proc/net'), 0o755);
      writeFileSync(join(root, 'proc/net/dev'), NET_DEV);
      mkdirSync(join(root, 'sys/class/net/lo/statistics'), { recursive: true });
      writeFileSync(join(root, 'sys/class/net/lo/statistics/rx_nohandler'), '0\n');
      const host = new FakeHost(osPlugin, {
        roots: {
          procfs: join(root, 'proc'),
          sysfs: join(root, 'sys'),
          rootfs: CORPUS,
          udev: join(root, 'udev/data'),
        },
        collectors: COLLECTORS,
      });
      ours = parseExposed(await host.collect());
      host.close();
    });

    afterAll(() => rmSync(root, { recursive: true, force: true }));

    for (const [collector, names] of Object.entries(FAMILIES)) {
      it(`exposes the same as upstream's ${collector} collector`, () => {
        const expected = select(theirs, names);
        expect(Object.keys(expected).length).toBeGreaterThan(0);
        expect(select(ours, names)).toEqual(expected);
      });
    }

    it('succeeds with every collector that upstream recorded', () => {
      const [recorded, found] = [theirs, ours].map(
        families => families.get('node_scrape_collector_success')!.samples,
      );
      const both = Object.keys(recorded!).filter(name => name in found!);
      expect(both.length).toBeGreaterThan(35);
      expect(both.filter(name => found![name] !== recorded![name])).toEqual([]);
    });
  },
);

function select(families: ReadonlyMap<string, Exposed>, names: RegExp): Record<string, Exposed> {
  return Object.fromEntries([...families].filter(([name]) => names.test(name) && !LIVE.test(name)));
}
