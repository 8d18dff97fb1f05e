// Runs the built-in collectors over the tree that node_exporter tests itself with, completed by what the
// recording leaves out because it differs from host to host.

import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { combinePlugins } from '../../plugins/builtin/combine.ts';
import { hardwarePlugin } from '../../plugins/hardware/plugin.ts';
import { osPlugin } from '../../plugins/os/plugin.ts';
import { FakeHost } from '../../plugins/sdk/fake-host.ts';
import type { CollectorConfig } from '../../plugins/sdk/runtime.ts';
import { unpackTtar } from '../plugins/os/ttar.ts';

/** The flags of node_exporter with which the recording was made. */
const COLLECTORS: Readonly<Record<string, CollectorConfig>> = {
  arp: { options: { deviceExclude: 'nope' } },
  bcache: { options: { priorityStats: true } },
  cpu: {
    options: {
      flagsInclude: '^(aes|avx.?|constant_tsc)$',
      bugsInclude: '^(cpu_meltdown|spectre_.*|mds)$',
    },
  },
  hwmon: {
    options: { chipInclude: '(applesmc|asus_nb_wmi|coretemp|hwmon4|ieee80211|nct6779)' },
  },
  netclass: { options: { ignoredDevices: '(dmz|int)', ignoreInvalidSpeed: true } },
  stat: { options: { softirq: true } },
  // They ask programs of this host, not the tree.
  gpu: { enabled: false },
  inventory: { enabled: false },
  ipmi: { enabled: false },
  smart: { enabled: false },
};

const SYSTEMCTL = `#!/bin/sh
case "$1 $2" in
list-units*) echo "demo.service loaded active running Demo"; echo "demo.socket loaded active listening Demo";;
"show --property"*) echo "Version=252"; echo "SystemState=running"; echo "Virtualization=kvm";;
*) printf 'Id=demo.service\\nType=simple\\nNRestarts=1\\n\\nId=demo.socket\\nNAccepted=1\\nNConnections=0\\nNRefused=0\\n';;
esac
`;

/** The text exposition of all built-in collectors over the tree in \`corpus\`. */
export async function exposeRecorded(corpus: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'outpost-parity-'));
  try {
    layOut(corpus, root);
    const collectors = {
      ...COLLECTORS,
      systemd: { options: { systemctl: join(root, 'systemctl') } },
      textfile: { options: { directory: join(corpus, 'textfile/two_metric_files') } },
    };
    const plugin = combinePlugins('builtin', [osPlugin, hardwarePlugin]);
    const host = new FakeHost(plugin, {
      roots: {
        procfs: join(root, 'proc'),
        sysfs: join(root, 'sys'),
        rootfs: join(root, 'root'),
        udev: join(root, 'udev/data'),
      },
      collectors,
    });
    const text = await host.collect();
    host.close();
    return text.replaceAll(join(root, 'sys'), 'collector/fixtures/sys');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function layOut(corpus: string, root: string): void {
  cpSync(join(corpus, 'proc'), join(root, 'proc'), { recursive: true });
  chmodSync(join(root, 'proc/net'), 0o755);
  unpackTtar(join(corpus, 'sys.ttar'), root);
  unpackTtar(join(corpus, 'udev.ttar'), root);
  cpSync(join(corpus, 'usr'), join(root, 'root/usr'), { recursive: true });
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const zeros = Array.from({ length: 16 }, () => '0').join(' ');
  write('proc/net/dev', `Inter-|\n face |\n    lo: ${zeros}\n`);
  write('sys/class/net/lo/statistics/rx_nohandler', '0\n');
  write('proc/1/mountinfo', '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n');
  write('proc/net/tcp', 'heading\n');
  write('sys/fs/selinux/enforce', '1\n');
  write('root/etc/selinux/config', 'SELINUX=enforcing\n');
  const release = readFileSync(join(corpus, 'usr/lib/os-release'), 'utf8');
  write('root/etc/os-release', `${release}SUPPORT_END=2030-01-01\n`);
  for (const name of ['hostname', 'domainname', 'ostype', 'osrelease', 'version'])
    write(`proc/sys/kernel/${name}`, 'recorded\n');
  write('sys/devices/system/cpu/cpu0/online', '1\n');
  // What kernels newer than the recorded one have beside.
  const fields = 'MemAvailable DirectMap1G Percpu ShmemHugePages ShmemPmdMapped Zswap Zswapped';
  const lines = fields.split(' ').map(field => `${field}: 1 kB\n`);
  appendFileSync(join(root, 'proc/meminfo'), lines.join(''));
  appendFileSync(join(root, 'proc/net/netstat'), 'TcpExt: TCPSynRetrans\nTcpExt: 1\n');
  write('sys/class/hwmon/hwmon2/temp1_crit_hyst', '85000\n');
  mkdirSync(join(root, 'root/run/systemd/system'), { recursive: true });
  write('systemctl', SYSTEMCTL);
  chmodSync(join(root, 'systemctl'), 0o755);
}
