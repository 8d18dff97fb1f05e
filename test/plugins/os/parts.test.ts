// What collectors share: due dates, directories of devices, number files.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newPresence, requirePath } from '../../../plugins/os/absence.ts';
import { Cadence } from '../../../plugins/os/cadence.ts';
import { DirectoryRows } from '../../../plugins/os/directory-rows.ts';
import { NumberFiles } from '../../../plugins/os/number-files.ts';
import { osPlugin } from '../../../plugins/os/plugin.ts';
import { NoDataError } from '../../../plugins/sdk/collector.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { Files, SYSTEM_ROOTS } from '../../../plugins/sdk/files.ts';
import { MetricTable } from '../../../plugins/sdk/metrics.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'outpost-os-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a due date', () => {
  it('is there at once, then after its time, and after a step of the clock back', () => {
    const cadence = new Cadence(1000);
    expect([5000, 5999, 6000, 6500, 5400, 5000, 5900].map(time => cadence.due(time))).toEqual([
      true,
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
  });
});

describe('a feature that may be absent', () => {
  it('is looked for each ten seconds', () => {
    const path = join(root, 'feature');
    const isPresent = newPresence(path);
    const check = requirePath(path, 'not loaded');
    expect(isPresent(0)).toBe(false);
    expect(() => check(0)).toThrow(NoDataError);
    expect(() => check(1)).toThrow(`not loaded: no ${path}`);
    mkdirSync(path);
    expect([isPresent(9999), isPresent(10_000)]).toEqual([false, true]);
    expect(() => check(10_000)).not.toThrow();
  });
});

describe('directories of devices', () => {
  it('make a row once, drop it once, and take no more than they may', () => {
    const log: string[] = [];
    const rows = new DirectoryRows({
      files: new Files(SYSTEM_ROOTS),
      path: join(root, 'devices'),
      wanted: name => name !== 'skipped',
      make: name => {
        log.push(`+${name}`);
        return name;
      },
      drop: name => log.push(`-${name}`),
      max: 2,
    });
    expect(rows.at(0)).toBe(null);
    for (const name of ['d10', 'd2', 'd1', 'skipped'])
      mkdirSync(join(root, 'devices', name), { recursive: true });
    expect(rows.at(5000)).toBe(null);
    expect(rows.at(10_000)).toEqual(['d1', 'd2']);
    rmSync(join(root, 'devices/d1'), { recursive: true });
    expect(rows.at(10_001)).toEqual(['d1', 'd2']);
    expect(rows.at(20_000)).toEqual(['d2', 'd10']);
    expect(log).toEqual(['+d1', '+d2', '+d10', '-d1']);
  });
});

describe('number files', () => {
  it('try again only now and then what could not be read', () => {
    const table = new MetricTable();
    const series = table.metricsOf('x').gauge({ name: 'x', help: '' }).with();
    const numbers = new NumberFiles(new Files(SYSTEM_ROOTS)).add(join(root, 'n'), series, 0.5);
    table.begin();
    expect(numbers.report(0)).toBe(0);
    writeFileSync(join(root, 'n'), '7\n');
    expect(numbers.report(9999)).toBe(0);
    expect(numbers.report(10_000)).toBe(1);
    expect(table.values[0]).toBe(3.5);
  });
});

describe('a long table of UDP sockets', () => {
  it('is read each fifteen seconds, and its sums are repeated in between', async () => {
    const line = `   1: 00000000:0000 00000000:0000 07 00000000:00000002 00:00000000 0 0 0 1 2 0 ${'0'.repeat(60)}\n`;
    mkdirSync(join(root, 'net'));
    const write = (count: number): void =>
      writeFileSync(join(root, 'net/udp'), `heading\n${line.repeat(count)}`);
    const host = new FakeHost(osPlugin, { roots: { procfs: root }, only: ['udp_queues'] });
    const received = async (time: number): Promise<string> =>
      /queue="rx"\} (\d+)/.exec(await host.collect(time))![1]!;
    write(1000);
    expect(await received(1_700_000_000_000)).toBe('2000');
    write(1500);
    expect(await received(1_700_000_001_000)).toBe('2000');
    expect(await received(1_700_000_015_000)).toBe('3000');
    write(2);
    expect(await received(1_700_000_030_000)).toBe('4');
    write(3);
    expect(await received(1_700_000_030_001)).toBe('6');
    host.close();
  });
});
