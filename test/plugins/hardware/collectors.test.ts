// Every collector of files over a small tree of our own making: what it exposes is written down in the
// fixture's expected.txt. A collector without a fixture fails here.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hardwarePlugin } from '../../../plugins/hardware/plugin.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import type { CollectorConfig } from '../../../plugins/sdk/runtime.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
const NOW = 1_700_000_000_250;

/** Options that let a fixture show what is off by default. */
const OPTIONS: Readonly<Record<string, CollectorConfig['options']>> = {
  pcidevice: { names: true },
};
/** These ask programs; what they make of the answers has tests of its own. */
const BY_PROGRAM = ['gpu', 'inventory', 'ipmi', 'smart'];

describe('the hardware plugin', () => {
  for (const { name } of hardwarePlugin.collectors) {
    if (BY_PROGRAM.includes(name)) continue;
    it(`exposes what ${name}'s fixture expects`, async () => {
      const tree = join(FIXTURES, name);
      const host = hostOf(tree, name);
      // Twice: the second pass goes over kept-open files.
      await host.collect(NOW);
      const text = await host.collect(NOW + 60_000);
      expect(host.failures).toEqual([]);
      host.close();
      expect(text.replaceAll(tree, '')).toBe(readFileSync(join(tree, 'expected.txt'), 'utf8'));
    });
  }

  it('has no data and no failures where there is no hardware', async () => {
    const names = hardwarePlugin.collectors
      .map(({ name }) => name)
      .filter(name => !BY_PROGRAM.includes(name));
    const host = hostOf('/nonexistent', ...names);
    const text = await host.collect(NOW);
    expect(host.failures).toEqual([]);
    expect(text.match(/^node_(?!scrape_collector_success)/gm)).toBe(null);
    // Like node_exporter's: these look for devices without caring for the directory they are in.
    expect(text.match(/(?<=collector=")\w+(?="} 1)/g)).toEqual([
      'cpufreq',
      'drm',
      'edac',
      'thermal_zone',
    ]);
  });
});

function hostOf(tree: string, ...only: string[]): FakeHost {
  return new FakeHost(hardwarePlugin, {
    roots: {
      procfs: join(tree, 'proc'),
      sysfs: join(tree, 'sys'),
      rootfs: join(tree, 'root'),
      udev: join(tree, 'udev'),
    },
    collectors: Object.fromEntries(only.map(name => [name, { options: OPTIONS[name] ?? {} }])),
    only,
    clock: new ManualClock(NOW),
  });
}
