// The collectors over the fixtures that node_exporter tests itself with: same names, types, labels and
// values as its expected exposition.

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hardwarePlugin } from '../../../plugins/hardware/plugin.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { type Exposed, parseExposed } from '../os/exposed.ts';
import { unpackTtar } from '../os/ttar.ts';

const CORPUS = fileURLToPath(new URL('../../../../shared/corpora/node-exporter', import.meta.url));

/** Families by the collector they belong to. */
const FAMILIES: Readonly<Record<string, RegExp>> = {
  cpufreq: /^node_cpu_(scaling_|frequency_(avg|min|max)_hertz$)/,
  dmi: /^node_dmi_/,
  dmmultipath: /^node_dmmultipath_/,
  edac: /^node_edac_/,
  fibrechannel: /^node_fibrechannel_/,
  hwmon: /^node_hwmon_/,
  infiniband: /^node_infiniband_/,
  mdadm: /^node_md_/,
  nvme: /^node_nvme_/,
  pcidevice: /^node_pcidevice_/,
  powersupplyclass: /^node_power_supply_/,
  rapl: /^node_rapl_/,
  tapestats: /^node_tape_/,
  thermal_zone: /^node_(thermal_zone|cooling_device)_/,
  watchdog: /^node_watchdog_/,
};

/** The recording was made with this flag of node_exporter, and names its own tree. */
const CHIPS = '(applesmc|asus_nb_wmi|coretemp|hwmon4|ieee80211|nct6779)';
const RECORDED_SYSFS = 'collector/fixtures/sys';

describe.skipIf(!existsSync(CORPUS))(
  'over the recorded tree of node_exporter (skipped where ../shared/corpora/node-exporter is absent)',
  () => {
    let root = '';
    let ours: ReadonlyMap<string, Exposed>;
    const theirs = existsSync(CORPUS)
      ? parseExposed(readFileSync(join(CORPUS, 'e2e-output.txt'), 'utf8'))
      : new Map<string, Exposed>();

    const expose = async (
      only: readonly string[],
      collectors: ConstructorParameters<typeof FakeHost>[1] = {},
    ): Promise<ReadonlyMap<string, Exposed>> => {
      const host = new FakeHost(hardwarePlugin, {
        roots: {
          procfs: join(root, 'proc'),
          sysfs: join(root, 'sys'),
          rootfs: join(root, 'root'),
          udev: join(root, 'udev/data'),
        },
        only,
        ...collectors,
      });
      const text = await host.collect();
      expect(host.failures).toEqual([]);
      host.close();
      // The fake host writes a control character of the recording as an escape.
      const unescaped = text.replaceAll('\\u001c', '\u001c');
      return parseExposed(unescaped.replaceAll(join(root, 'sys'), RECORDED_SYSFS));
    };

    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'outpost-parity-'));
      cpSync(join(CORPUS, 'proc'), join(root, 'proc'), { recursive: true });
      cpSync(join(CORPUS, 'pci.ids'), join(root, 'root/usr/share/misc/pci.ids'), {
        recursive: true,
      });
      unpackTtar(join(CORPUS, 'sys.ttar'), root);
      ours = await expose(Object.keys(FAMILIES), {
        collectors: { hwmon: { options: { chipInclude: CHIPS } } },
      });
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
      expect(ours.get('node_scrape_collector_success')!.samples).toEqual(
        Object.fromEntries(Object.keys(FAMILIES).map(name => [`{collector="${name}"}`, 1])),
      );
    });

    it('names PCI devices as upstream does where it is asked to', async () => {
      const named = parseExposed(readFileSync(join(CORPUS, 'pcidevice-names-output.txt'), 'utf8'));
      const found = await expose(['pcidevice'], {
        collectors: { pcidevice: { options: { names: true } } },
      });
      expect(found.get('node_pcidevice_info')).toEqual(named.get('node_pcidevice_info'));
    });
  },
);

function select(families: ReadonlyMap<string, Exposed>, names: RegExp): Record<string, Exposed> {
  return Object.fromEntries([...families].filter(([name]) => names.test(name)));
}
