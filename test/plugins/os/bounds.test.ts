// Collectors whose series grow with the host, on hosts that are too large for all of them; and what they
// do about costly and vanishing files.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allocationRatio } from '../../../plugins/os/btrfs.ts';
import { parseBcacheSize, parseHumanSize } from '../../../plugins/os/human-size.ts';
import { parseEndpoint, shortenIpv6 } from '../../../plugins/os/ipvs-address.ts';
import { parseOsRelease } from '../../../plugins/os/os-release.ts';
import { osPlugin } from '../../../plugins/os/plugin.ts';
import { parseSelinuxMode } from '../../../plugins/os/selinux.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'outpost-os-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function hostOf(name: string, options: Readonly<Record<string, unknown>> = {}): FakeHost {
  return new FakeHost(osPlugin, {
    roots: { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root },
    only: [name],
    collectors: { [name]: { options } },
  });
}

const lines = (text: string, prefix: string): string[] =>
  text.split('\n').filter(line => line.startsWith(prefix));

describe('interrupts', () => {
  const table = (timer: number, other: number): string =>
    `           CPU0       CPU1\n  1:  1  2  IO-APIC  kbd\n  2:  ${other}  0  IO-APIC  a\n  3:  3  4  IO-APIC  b\nLOC:  ${timer}  900  Local timer interrupts\n`;

  it('keep the busiest lines and sum the others for each CPU where there would be too many', async () => {
    write('proc/interrupts', table(1000, 5));
    const host = hostOf('interrupts', { seriesMax: 4 });
    const expected = [
      'node_interrupts_total{cpu="0",info="Local timer interrupts",type="LOC"} 1000',
      'node_interrupts_total{cpu="0",type="other"} 9',
      'node_interrupts_total{cpu="1",info="Local timer interrupts",type="LOC"} 900',
      'node_interrupts_total{cpu="1",type="other"} 6',
    ];
    expect(lines(await host.collect(), 'node_interrupts_total')).toEqual(expected);
    // A line that becomes busier later stays in the sum, which only grows.
    write('proc/interrupts', table(1000, 50_000));
    expect(lines(await host.collect(), 'node_interrupts_total')[1]).toBe(
      'node_interrupts_total{cpu="0",type="other"} 50004',
    );
    host.close();
  });

  it('follow CPUs that come and go', async () => {
    write('proc/interrupts', '  CPU0 CPU1\nNMI: 1 2 Non-maskable interrupts\n');
    const host = hostOf('interrupts');
    await host.collect();
    write('proc/interrupts', '  CPU1\nNMI: 3 Non-maskable interrupts\n');
    expect(lines(await host.collect(), 'node_interrupts_total')).toEqual([
      'node_interrupts_total{cpu="1",info="Non-maskable interrupts",type="NMI"} 3',
    ]);
    host.close();
  });

  it('choose lines by name, information and devices', async () => {
    write('proc/interrupts', table(1, 1));
    const host = hostOf('interrupts', { nameInclude: '^\\d+;IO-APIC;(a|b)$', includeZeros: false });
    expect(lines(await host.collect(), 'node_interrupts_total')).toEqual([
      'node_interrupts_total{cpu="0",devices="a",info="IO-APIC",type="2"} 1',
      'node_interrupts_total{cpu="0",devices="b",info="IO-APIC",type="3"} 3',
      'node_interrupts_total{cpu="1",devices="b",info="IO-APIC",type="3"} 4',
    ]);
    host.close();
  });
});

describe('softirqs', () => {
  it('become sums over all CPUs where there are too many of them', async () => {
    write('proc/softirqs', '      CPU0 CPU1 CPU2\nHI: 1 2 3\n');
    const host = hostOf('softirqs', { cpusMax: 2 });
    expect(lines(await host.collect(), 'node_softirqs')).toEqual([
      'node_softirqs_functions_total{cpu="all",type="HI"} 6',
    ]);
    host.close();
  });
});

describe('tcpstat', () => {
  it('reads no table where there are more sockets than it may, and counts those in TIME_WAIT', async () => {
    write('proc/net/sockstat', 'TCP: inuse 90 orphan 0 tw 20 alloc 95 mem 1\n');
    write('proc/net/tcp', 'heading\n');
    const host = hostOf('tcpstat', { socketsMax: 100 });
    expect(lines(await host.collect(), 'node_tcp')).toEqual([
      'node_tcp_connection_states{state="time_wait"} 20',
    ]);
    host.close();
  });
});

describe('processes', () => {
  it('stop reading at the limit', async () => {
    write('proc/sys/kernel/threads-max', '10\n');
    write('proc/sys/kernel/pid_max', '10\n');
    for (const pid of [1, 2, 3])
      write(`proc/${pid}/stat`, `${pid} (x) S 0 ${'0 '.repeat(15)}1 0\n`);
    const host = hostOf('processes', { readsMax: 2 });
    expect(lines(await host.collect(), 'node_processes_pids')).toEqual(['node_processes_pids 2']);
    host.close();
  });
});

describe('ipvs', () => {
  const heading = 'IP Virtual Server\nProt LocalAddress:Port\n  -> RemoteAddress:Port\n';
  const table = `${heading}TCP  0A000001:0050 rr\n  -> 0A000002:0050 Masq 1 10 3\n  -> 0A000003:0050 Masq 2 20 4\n`;

  it('sums backends over the labels that are not wanted', async () => {
    write('proc/net/ip_vs_stats', 'a\nb\n 1 2 3 4 5\n');
    write('proc/net/ip_vs', table);
    const host = hostOf('ipvs', { backendLabels: '^(local_address|proto)$' });
    expect(lines(await host.collect(), 'node_ipvs_backend_connections_active')).toEqual([
      'node_ipvs_backend_connections_active{local_address="10.0.0.1",proto="TCP"} 30',
    ]);
    host.close();
  });

  it('leaves out backends beyond the limit', async () => {
    write('proc/net/ip_vs_stats', 'a\nb\n 1 2 3 4 5\n');
    write('proc/net/ip_vs', table);
    const host = hostOf('ipvs', { backendsMax: 1 });
    expect(lines(await host.collect(), 'node_ipvs_backend_weight')).toHaveLength(1);
    host.close();
  });
});

describe('netclass', () => {
  it('ends with its device, and sees a new one with the next listing', async () => {
    const attributes = { type: '1', operstate: 'up', carrier: '1', mtu: '1500' };
    const add = (device: string): void => {
      for (const [name, value] of Object.entries(attributes))
        write(`sys/class/net/${device}/${name}`, `${value}\n`);
    };
    add('lan0');
    const host = hostOf('netclass');
    expect(await host.collect(1000)).toContain('node_network_up{device="lan0"} 1');
    rmSync(join(root, 'sys/class/net/lan0'), { recursive: true });
    add('lan1');
    expect(await host.collect(12_000)).not.toContain('lan0');
    expect(await host.collect(12_001)).toContain('node_network_mtu_bytes{device="lan1"} 1500');
    host.close();
  });
});

describe('hosts without a feature', () => {
  it('fail nowhere, and say with success 0 or 1 what node_exporter says', async () => {
    mkdirSync(join(root, 'proc'));
    const success: Record<string, string> = {};
    for (const name of ['bonding', 'btrfs', 'conntrack', 'nfs', 'selinux', 'xfs', 'zfs', 'ipvs']) {
      const host = hostOf(name);
      success[name] = /success\{.*\} (\d)/.exec(await host.collect())![1]!;
      expect(host.failures).toEqual([]);
      host.close();
    }
    expect(success).toEqual({
      bonding: '0',
      btrfs: '1',
      conntrack: '0',
      nfs: '0',
      selinux: '1',
      xfs: '1',
      zfs: '0',
      ipvs: '0',
    });
  });
});

describe('small parsers of the os collectors', () => {
  it('read sizes written for people', () => {
    expect(parseHumanSize('2.05G')).toBe(2_201_170_739);
    expect(parseHumanSize(' 512k')).toBe(524_288);
    expect(parseHumanSize('-3')).toBe(-3);
    expect(parseHumanSize('3q')).toBe(Number.NaN);
    expect(parseHumanSize('')).toBe(Number.NaN);
    expect(parseBcacheSize('1.1M')).toBe(1_150_976);
    expect(parseBcacheSize('-790.0k')).toBe(-808_960);
  });

  it('spell addresses as everybody does', () => {
    expect(parseEndpoint('C0A80016:0CEA')).toEqual({ address: '192.168.0.22', port: '3306' });
    expect(shortenIpv6('2001:0db8:0000:0000:0001:0000:0000:0001')).toBe('2001:db8::1:0:0:1');
    expect(shortenIpv6('0000:0000:0000:0000:0000:0000:0000:0001')).toBe('::1');
    expect(shortenIpv6('fe80:0000:0000:0000:0000:0000:0000:0000')).toBe('fe80::');
    expect(parseEndpoint('nonsense')).toBe(null);
  });

  it('read assignments of os-release', () => {
    expect([...parseOsRelease('A=1\n#B=2\n C="x \\"y\\""\nD=\'z"\'\nnothing\n')]).toEqual([
      ['A', '1'],
      ['C', 'x "y"'],
      ['D', 'z"'],
    ]);
  });

  it('read the mode of SELinux', () => {
    expect(parseSelinuxMode('# SELINUX=enforcing\nSELINUX = Permissive\n')).toBe(0);
    expect(parseSelinuxMode('SELINUX=disabled')).toBe(-1);
    expect(parseSelinuxMode('')).toBe(-1);
  });

  it('know what profiles of Btrfs cost', () => {
    expect(['single', 'raid1', 'raid1c4'].map(mode => allocationRatio(mode, 4))).toEqual([1, 2, 4]);
    expect([allocationRatio('raid5', 3), allocationRatio('raid6', 4)]).toEqual([1.5, 2]);
    expect(allocationRatio('raid99', 4)).toBe(0);
  });
});
