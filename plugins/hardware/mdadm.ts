// Software RAID: disks and state of each array from /proc/mdstat, degradation from /sys/block/md*/md.

import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { collectDevices } from './device-readings.ts';
import { ARRAY_STATES, type MdArray, parseMdstat } from './mdstat.ts';

/** Levels that can lose a disk and go on; sysfs tells only of these how many are missing. */
const REDUNDANT = /^raid(1|4|5|6|10)$/;
const WITHOUT_DISKS = ['container', 'imsm', 'ddf', ''];

export const mdadm = defineCollector({
  name: 'mdadm',
  help: 'Disks, state and progress of software RAID arrays.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const show = newArrays(metrics);
    const gauge = (name: string, help: string) =>
      metrics.gauge({ name: `node_md_${name}`, help, labels: ['device'] });
    const raidDisks = gauge('raid_disks', 'Disks the complete array has, by sysfs.');
    const degraded = gauge('degraded', 'Disks the array is missing.');
    const collectSysfs = collectDevices({
      files,
      clock,
      directories: ['block'],
      mustExist: false,
      find(findings) {
        for (const device of files.list(`${files.roots.sysfs}/block`)) {
          const path = `block/${device}/md`;
          const level = device.startsWith('md')
            ? files.text(`${files.roots.sysfs}/${path}/level`)
            : null;
          if (level === null) continue;
          if (!WITHOUT_DISKS.includes(level)) {
            const parse = Number.parseInt;
            findings.number(`${path}/raid_disks`, raidDisks.with(device), { parse });
          }
          if (REDUNDANT.test(level)) {
            findings.number(`${path}/degraded`, degraded.with(device));
          } else findings.constant(degraded.with(device), 0);
        }
      },
    });
    const file = files.proc('mdstat');
    let table: Uint8Array = new Uint8Array(0);
    let shown: readonly (readonly [Series, number])[] = [];
    return time => {
      const scanner = file.readIfPresent();
      if (scanner === null) throw new NoDataError(`no ${file.path}: the kernel has no md driver`);
      if (!scanner.isWholly(table)) {
        table = scanner.copyAll();
        shown = parseMdstat(new TextDecoder().decode(table)).flatMap(show);
      }
      for (const [series, value] of shown) series.set(value);
      return collectSysfs(time);
    };
  },
});

/** A function from an array to its series and their values. */
function newArrays(metrics: Metrics): (array: MdArray) => (readonly [Series, number])[] {
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `node_md_${name}`, help, labels: ['device'] });
  const byState = (name: string, help: string) =>
    metrics.gauge({ name: `node_md_${name}`, help, labels: ['device', 'state'] });
  const disks = byState('disks', 'Disks of the array that are active, failed or spare.');
  const required = gauge('disks_required', 'Disks the complete array has.');
  const state = byState('state', 'Whether the array is in the state (1).');
  const blocks = gauge('blocks', 'Size of the array in blocks of 1 KiB.');
  const synced = gauge('blocks_synced', 'Blocks that are in sync.');
  return array => [
    ...(['active', 'failed', 'spare'] as const).map(
      kind => [disks.with(array.name, kind), array.disks[kind]] as const,
    ),
    ...ARRAY_STATES.map(
      name => [state.with(array.name, name), name === array.state ? 1 : 0] as const,
    ),
    [required.with(array.name), array.disksRequired],
    [blocks.with(array.name), array.blocks],
    [synced.with(array.name), array.blocksSynced],
  ];
}
