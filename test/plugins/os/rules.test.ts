// Rules of the os collectors that a still fixture cannot show.

import type { StatsFs } from 'node:fs';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCpuList } from '../../../plugins/os/cpu.ts';
import { newFilesystem } from '../../../plugins/os/filesystem.ts';
import { problemText } from '../../../plugins/os/mount-probe.ts';
import { osPlugin } from '../../../plugins/os/plugin.ts';
import { parsePageSize } from '../../../plugins/os/sockstat.ts';
import { zoneAbbreviation } from '../../../plugins/os/time-zone.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { definePlugin } from '../../../plugins/sdk/runtime.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'outpost-os-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function hostOf(...only: string[]): FakeHost {
  return new FakeHost(osPlugin, { roots: { procfs: root, sysfs: join(root, 'sys') }, only });
}

const value = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find(line => line.startsWith(`${series} `))
      ?.slice(series.length + 1),
  );

describe('cpu counters', () => {
  const idle = 'node_cpu_seconds_total{cpu="0",mode="idle"}';
  const iowait = 'node_cpu_seconds_total{cpu="0",mode="iowait"}';
  const line = (idleTicks: number, iowaitTicks: number): string =>
    `cpu0 1 2 3 ${idleTicks} ${iowaitTicks} 6 7 8 9 10\n`;

  it('do not fall when the kernel lets them, and go on from where they were', async () => {
    const host = hostOf('cpu');
    for (const [read, exposed] of [
      [500, 5],
      [499, 5],
      [450, 5],
      [501, 5.01],
    ] as const) {
      write('stat', line(1000, read));
      expect(value(await host.collect(), iowait)).toBe(exposed);
    }
    host.close();
  });

  it('start anew when idle falls by three seconds, as after a hotplug', async () => {
    const host = hostOf('cpu');
    write('stat', line(100_000, 500));
    await host.collect();
    write('stat', line(99_701, 400));
    expect(value(await host.collect(), idle)).toBe(1000);
    write('stat', line(99_700, 400));
    const text = await host.collect();
    expect(value(text, idle)).toBe(997);
    expect(value(text, iowait)).toBe(4);
    host.close();
  });

  it('of a CPU that was offline start anew', async () => {
    const host = hostOf('cpu');
    write('stat', `${line(1000, 500)}cpu1 100 0 0 100 0 0 0 0 0 0\n`);
    await host.collect();
    write('stat', line(1000, 500));
    expect(await host.collect()).not.toContain('cpu="1"');
    write('stat', `${line(1000, 500)}cpu1 1 0 0 1 0 0 0 0 0 0\n`);
    const text = await host.collect();
    expect(value(text, 'node_cpu_seconds_total{cpu="1",mode="user"}')).toBe(0.01);
    host.close();
  });
});

describe('throttle counters', () => {
  it('of a core that was put in are there within a minute', async () => {
    const directory = 'sys/devices/system/cpu/cpu0';
    write('stat', 'cpu0 1 2 3 4 5 6 7 8 9 10\n');
    write(`${directory}/topology/physical_package_id`, '0\n');
    write(`${directory}/topology/core_id`, '0\n');
    const put = (): void => write(`${directory}/thermal_throttle/core_throttle_count`, '5\n');
    const host = hostOf('cpu');
    const count = async (time: number): Promise<number> =>
      value(await host.collect(time), 'node_cpu_core_throttles_total{core="0",package="0"}');
    expect(await count(1_700_000_000_000)).toBe(Number.NaN);
    put();
    expect(await count(1_700_000_030_000)).toBe(Number.NaN);
    expect(await count(1_700_000_060_000)).toBe(5);
    host.close();
  });
});

describe('devices that come and go', () => {
  it('end and begin with their rows', async () => {
    const heading = 'Inter-|   Receive |  Transmit\n face |bytes |bytes\n';
    const row = (name: string): string => `  ${name}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n`;
    const host = hostOf('netdev');
    write('net/dev', heading + row('lo') + row('veth1'));
    expect(await host.collect()).toContain('node_network_receive_bytes_total{device="veth1"} 1');
    write('net/dev', heading + row('lo'));
    expect(await host.collect()).not.toContain('veth1');
    write('net/dev', heading + row('veth1') + row('lo'));
    expect(await host.collect()).toContain('node_network_receive_bytes_total{device="veth1"} 1');
    host.close();
  });
});

describe('a mount that may hang', () => {
  const stats = { bsize: 4096, blocks: 100, bfree: 50, bavail: 40, files: 10, ffree: 5 } as StatsFs;
  const mountInfo =
    '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:40 / /data rw - nfs4 server:/data rw\n';
  const error =
    'node_filesystem_device_error{device="server:/data",fstype="nfs4",mountpoint="/data"}';
  const timeout =
    'node_filesystem_device_error{device="server:/data",device_error="mountpoint timeout",fstype="nfs4",mountpoint="/data"}';

  it('delays nothing, is marked after the timeout, asked once, and comes back', async () => {
    write('1/mountinfo', mountInfo);
    const clock = new ManualClock();
    const waiting: ((error: null, stats: StatsFs) => void)[] = [];
    const plugin = definePlugin({
      name: 'demo',
      version: '1',
      collectors: [newFilesystem((_, done) => waiting.push(done))],
    });
    const host = new FakeHost(plugin, { roots: { procfs: root }, clock });
    const collect = async (): Promise<string> => {
      const text = host.collect();
      // The collector gives its question a moment.
      await Promise.resolve();
      await Promise.resolve();
      clock.advance(100);
      return text;
    };
    const first = await collect();
    expect(first).toContain('node_filesystem_size_bytes{device="/dev/sda1"');
    expect(first).not.toContain('/data');
    clock.advance(4000);
    expect(await collect()).not.toContain('/data');
    clock.advance(2000);
    expect(value(await collect(), timeout)).toBe(1);
    expect(waiting).toHaveLength(1);
    waiting[0]!(null, stats);
    const back = await collect();
    expect(value(back, error)).toBe(0);
    expect(back).not.toContain('mountpoint timeout');
    expect(waiting).toHaveLength(2);
    expect(value(back, error.replace('device_error{', 'size_bytes{'))).toBe(409_600);
  });

  it('leaves a thread free however many servers are away', async () => {
    const mounts = Array.from(
      { length: 10 },
      (_, i) => `${30 + i} 22 0:${40 + i} / /data${i} rw - nfs4 server:/data${i} rw\n`,
    );
    write('1/mountinfo', mounts.join(''));
    const clock = new ManualClock();
    let asked = 0;
    const plugin = definePlugin({
      name: 'demo',
      version: '1',
      collectors: [
        newFilesystem(() => {
          asked++;
        }),
      ],
    });
    const host = new FakeHost(plugin, { roots: { procfs: root }, clock });
    const text = host.collect();
    await Promise.resolve();
    clock.advance(100);
    await text;
    expect(asked).toBe(3);
  });
});

describe('small parsers', () => {
  it('reads kernel CPU lists', () => {
    expect(parseCpuList('1,3-5,9')).toEqual([1, 3, 4, 5, 9]);
    expect(parseCpuList('')).toEqual([]);
  });

  it('names errors of statfs as the C library does', () => {
    expect(problemText(new Error("EACCES: permission denied, statfs '/x'"))).toBe(
      'permission denied',
    );
    expect(problemText(new Error('ESTALE: stale file handle, statfs'))).toBe('stale file handle');
    expect(problemText(new Error('something else'))).toBe('something else');
  });

  it('reads the page size from an auxiliary vector', () => {
    const auxv = new BigUint64Array([33n, 5n, 6n, 65536n, 0n, 0n]);
    expect(parsePageSize(new Uint8Array(auxv.buffer))).toBe(65536);
    expect(parsePageSize(new Uint8Array(16))).toBe(null);
  });

  it('names a time zone from TZif, and from its offset without one', () => {
    expect(
      zoneAbbreviation(tzif(['LMT', 'CET', 'CEST'], [3208, 3600, 7200], [1, 2, 1]), 7200),
    ).toBe('CEST');
    expect(
      zoneAbbreviation(tzif(['LMT', 'CET', 'CEST'], [3208, 3600, 7200], [1, 2, 1]), 3600),
    ).toBe('CET');
    expect(
      zoneAbbreviation(tzif(['MSK', 'MSD', 'XXX'], [10800, 14400, 10800], [1, 0]), 10800),
    ).toBe('MSK');
    expect(zoneAbbreviation(tzif(['UTC'], [0], []), 0)).toBe('UTC');
    expect(zoneAbbreviation(tzif(['UTC'], [0], []).subarray(0, 50), 0)).toBe('UTC');
    expect(zoneAbbreviation(null, 0)).toBe('UTC');
    expect(zoneAbbreviation(null, 19800)).toBe('+0530');
    expect(zoneAbbreviation(null, -10800)).toBe('-03');
  });
});

/** A version 1 TZif file: local time types with these names and offsets, and transitions to them. */
function tzif(names: string[], offsets: number[], transitions: number[]): Uint8Array {
  const nameBytes = names.map(name => `${name}\0`).join('');
  const bytes = Buffer.alloc(44 + transitions.length * 5 + names.length * 6 + nameBytes.length);
  bytes.write('TZif', 0);
  bytes.writeUInt32BE(transitions.length, 32);
  bytes.writeUInt32BE(names.length, 36);
  bytes.writeUInt32BE(nameBytes.length, 40);
  let at = 44 + transitions.length * 4;
  for (const type of transitions) bytes[at++] = type;
  let name = 0;
  for (const [i, offset] of offsets.entries()) {
    bytes.writeInt32BE(offset, at);
    bytes[at + 5] = name;
    name += names[i]!.length + 1;
    at += 6;
  }
  bytes.write(nameBytes, at, 'latin1');
  return bytes;
}
