// How devices are found and read: seldom and often, what comes and goes, what is slow, what fails.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  collectDevices,
  type DeviceSearch,
  type Findings,
} from '../../../plugins/hardware/device-readings.ts';
import { defineCollector } from '../../../plugins/sdk/collector.ts';
import type { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import type { Metrics } from '../../../plugins/sdk/metrics.ts';
import { HASTY, hostOf } from './programs.ts';

const START = 1_700_000_000_000;
const MINUTE = 60_000;

let root = '';
let host: FakeHost | null = null;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'outpost-devices-'));
});
afterEach(() => {
  host?.close();
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

interface Finder {
  readonly metrics: Metrics;
  readonly list: () => string[];
  readonly findings: Findings;
}

/** A collector of the devices in class/demo, and how often it searched. */
function searching(
  find: (finder: Finder) => void,
  how: Partial<Pick<DeviceSearch, 'mustExist' | 'isSlow' | 'clock'>> = {},
) {
  const count = { searches: 0 };
  const collector = defineCollector({
    name: 'demo',
    help: 'A demonstration.',
    defaultEnabled: true,
    open: ({ files, metrics, clock }) =>
      collectDevices({
        files,
        clock,
        directories: ['class/demo'],
        mustExist: false,
        ...how,
        find(findings) {
          count.searches++;
          find({ metrics, findings, list: () => files.list(join(root, 'class/demo')) });
        },
      }),
  });
  host = hostOf(collector, { roots: { sysfs: root } });
  const collect = async (time: number): Promise<string[]> => {
    const text = await host!.collect(START + time);
    return text.split('\n').filter(line => line.startsWith('node_demo'));
  };
  return { count, collect };
}

const gaugeOf = (metrics: Metrics, device: string) =>
  metrics.gauge({ name: 'node_demo', help: 'A number.', labels: ['device'] }).with(device);

const numbers = ({ metrics, list, findings }: Finder): void => {
  for (const device of list()) {
    findings.number(`class/demo/${device}/value`, gaugeOf(metrics, device));
  }
};

describe('devices', () => {
  it('are read at each collection and searched for once', async () => {
    write('class/demo/a/value', '1\n');
    const { count, collect } = searching(numbers);
    expect(await collect(0)).toEqual(['node_demo{device="a"} 1']);
    write('class/demo/a/value', '2\n');
    expect(await collect(1000)).toEqual(['node_demo{device="a"} 2']);
    expect(count.searches).toBe(1);
  });

  it('that appear are found within a minute, and those that go end', async () => {
    write('class/demo/a/value', '1\n');
    const { count, collect } = searching(numbers);
    await collect(0);
    write('class/demo/b/value', '2\n');
    expect(await collect(MINUTE - 1)).toEqual(['node_demo{device="a"} 1']);
    const both = ['node_demo{device="a"} 1', 'node_demo{device="b"} 2'];
    expect(await collect(MINUTE)).toEqual(both);
    rmSync(join(root, 'class/demo/a'), { recursive: true });
    expect(await collect(2 * MINUTE)).toEqual(['node_demo{device="b"} 2']);
    expect(count.searches).toBe(3);
    // The listing stays as it is.
    await collect(3 * MINUTE);
    expect(count.searches).toBe(3);
  });

  it('are found anew after ten minutes, whatever the listing says', async () => {
    write('class/demo/a/value', '1\n');
    const { count, collect } = searching(numbers);
    for (let minute = 0; minute <= 12; minute++) await collect(minute * MINUTE);
    expect(count.searches).toBe(2);
  });

  it('that a host does not have are looked for every ten minutes', async () => {
    const { count, collect } = searching(numbers, { mustExist: true });
    expect(await collect(0)).toEqual([]);
    expect(host!.failures).toEqual([]);
    write('class/demo/a/value', '1\n');
    expect(await collect(9 * MINUTE)).toEqual([]);
    expect(count.searches).toBe(0);
    expect(await collect(10 * MINUTE)).toEqual(['node_demo{device="a"} 1']);
    expect(count.searches).toBe(1);
  });

  it('that fail have no value, and are tried ever more seldom', async () => {
    write('class/demo/a/value', 'soon\n');
    const { collect } = searching(numbers);
    expect(await collect(0)).toEqual([]);
    write('class/demo/a/value', '7\n');
    // One pass is left out after the first failure.
    expect(await collect(1000)).toEqual([]);
    expect(await collect(2000)).toEqual(['node_demo{device="a"} 7']);
    write('class/demo/a/value', '7 of 9\n');
    expect(await collect(3000)).toEqual([]);
  });

  it('show their texts as they change', async () => {
    write('class/demo/a/state', 'idle\n');
    const { collect } = searching(({ metrics, list, findings }) => {
      const labels = ['device', 'state', 'model'];
      const info = metrics.gauge({ name: 'node_demo_info', help: 'A text.', labels });
      for (const device of list()) {
        const path = `class/demo/${device}`;
        findings.info(info, [{ text: device }, `${path}/state`, `${path}/model`]);
      }
    });
    expect(await collect(0)).toEqual(['node_demo_info{device="a",state="idle"} 1']);
    write('class/demo/a/state', 'busy\n');
    expect(await collect(1000)).toEqual(['node_demo_info{device="a",state="busy"} 1']);
    write('class/demo/a/state', '');
    write('class/demo/a/model', 'M1\0\n');
    expect((await collect(10 * MINUTE)).at(-1)).toBe('node_demo_info{device="a",model="M1"} 1');
  });

  it('that are slow make way for others and are complete all the same', async () => {
    for (let i = 0; i < 40; i++) write(`class/demo/${i}/value`, `${i}\n`);
    // Each look at the clock finds that four milliseconds have passed.
    let now = 0;
    const clock = { ...HASTY, monotonic: () => (now += 4) };
    let turns = 0;
    const count = (): void => {
      turns++;
      handle = setImmediate(count);
    };
    let handle = setImmediate(count);
    const { collect } = searching(numbers, { isSlow: true, clock });
    const lines = await collect(0);
    clearImmediate(handle);
    expect(lines).toHaveLength(40);
    expect(turns).toBeGreaterThan(1);
  });
});
