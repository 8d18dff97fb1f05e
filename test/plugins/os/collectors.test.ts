// Every collector of the os plugin over a small tree of our own making: what it exposes is written down in
// the fixture's expected.txt. A collector without a fixture fails here.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { osPlugin } from '../../../plugins/os/plugin.ts';
import type { CollectorConfig } from '../../../plugins/sdk/configuration.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));

/** 2023-11-14T22:13:20.250Z. */
const NOW = 1_700_000_000_250;

/** Options that let a fixture show what is off by default. */
const OPTIONS: Readonly<Record<string, CollectorConfig['options']>> = {
  bcache: { priorityStats: true },
  cpu: { flagsInclude: '^(sse2|avx)$', bugsInclude: 'spectre' },
  processes: { threadStates: true },
  stat: { softirq: true },
  sysctl: {
    include: 'kernel.threads-max fs.file-nr fs.file-nr:total,current,max',
    includeInfo: 'kernel.seccomp.actions_avail',
  },
  zoneinfo: { fields: '^(protection_|nr_free_pages$|(min|managed)_pages$|nr_dirtied)' },
};

/** They read what is no pseudo file, so they have tests of their own. */
const WITHOUT_FIXTURE: readonly string[] = ['exporter', 'systemd', 'textfile', 'timex'];

/** What is read from the machine that runs the test, as far as its value goes. */
const LIVE_VALUE =
  /^(node_(?:filesystem_\w*(?:bytes|files|files_free)\{.*\}|time_zone_offset_seconds\{).*) .*$/gm;
const LIVE_LABEL = /\b(machine|time_zone)="[^"]*"/g;

describe('the os plugin', () => {
  for (const { name } of osPlugin.collectors) {
    if (WITHOUT_FIXTURE.includes(name)) continue;
    it(`exposes what ${name}'s fixture expects`, async () => {
      const tree = join(FIXTURES, name);
      const host = new FakeHost(osPlugin, {
        roots: {
          procfs: join(tree, 'proc'),
          sysfs: join(tree, 'sys'),
          rootfs: existsSync(join(tree, 'root')) ? join(tree, 'root') : '/',
          udev: join(tree, 'udev'),
        },
        collectors: { [name]: { options: OPTIONS[name] ?? {} } },
        only: [name],
        clock: new ManualClock(NOW),
      });
      // Twice: the second pass goes over kept-open files and remembered rows.
      await host.collect(NOW);
      const text = await host.collect(NOW + 1000);
      host.close();
      expect(masked(text)).toBe(masked(readFileSync(join(tree, 'expected.txt'), 'utf8')));
    });
  }

  it('exposes success 0 and says why for a collector whose file is missing', async () => {
    const host = new FakeHost(osPlugin, { roots: { procfs: '/nonexistent' }, only: ['loadavg'] });
    expect(await host.collect()).toBe(
      '# TYPE node_scrape_collector_success gauge\n' +
        'node_scrape_collector_success{collector="loadavg"} 0\n',
    );
    expect(host.failures.map(({ collector }) => collector)).toEqual(['loadavg']);
    expect(host.failures[0]!.message).toMatch(/ENOENT.*\/nonexistent\/loadavg/);
  });

  it('exposes success 0 and reports no failure where the kernel has no pressure files', async () => {
    const host = new FakeHost(osPlugin, { roots: { procfs: '/nonexistent' }, only: ['pressure'] });
    expect(await host.collect()).toContain('node_scrape_collector_success{collector="pressure"} 0');
    expect(host.failures).toEqual([]);
  });
});

function masked(text: string): string {
  return text.replace(LIVE_VALUE, '$1 *').replace(LIVE_LABEL, '$1="*"');
}
