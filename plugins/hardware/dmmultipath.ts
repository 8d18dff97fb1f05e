// Multipath devices of the device mapper and the state of their paths (/sys/block/dm-*).

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'block';
const SECTOR_BYTES = 512;
/** How SCSI and NVMe call a path that works. */
const WORKING = ['running', 'live'];

export const dmmultipath = defineCollector({
  name: 'dmmultipath',
  help: 'Multipath devices and the state of their paths.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const info = metrics.gauge({
      name: 'node_dmmultipath_device_info',
      help: 'Identity of the multipath device; always 1.',
      labels: ['device', 'sysfs_name', 'uuid'],
    });
    const gauge = (name: string, help: string) =>
      metrics.gauge({
        name: `node_dmmultipath_device_${name}`,
        help,
        labels: ['device', 'sysfs_name'],
      });
    const active = gauge('active', 'Whether the device is active (1) or suspended (0).');
    const size = gauge('size_bytes', 'Size of the device.');
    const paths = gauge('paths', 'Paths of the device.');
    const pathsActive = gauge('paths_active', 'Paths of the device that work.');
    const pathsFailed = gauge('paths_failed', 'Paths of the device that do not work.');
    const pathState = metrics.gauge({
      name: 'node_dmmultipath_path_state',
      help: 'State of the path; always 1.',
      labels: ['device', 'path', 'state'],
    });
    const text = (path: string): string | null => files.text(`${files.roots.sysfs}/${path}`);
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const entry of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          const path = `${DIRECTORY}/${entry}`;
          const uuid = entry.startsWith('dm-') ? text(`${path}/dm/uuid`) : null;
          if (!uuid?.startsWith('mpath-')) continue;
          const device = text(`${path}/dm/name`) ?? entry;
          findings.info(info, [{ text: device }, { text: entry }, { text: uuid }]);
          findings.number(`${path}/dm/suspended`, active.with(device, entry), {
            parse: suspended => (suspended === '' ? Number.NaN : suspended === '1' ? 0 : 1),
          });
          findings.number(`${path}/size`, size.with(device, entry), { times: SECTOR_BYTES });
          const slaves = files.list(`${files.roots.sysfs}/${path}/slaves`).map(name => ({
            name,
            file: findings.text(`${DIRECTORY}/${name}/device/state`),
            state: '',
            series: null as Series | null,
          }));
          findings.constant(paths.with(device, entry), slaves.length);
          const working = pathsActive.with(device, entry);
          const failed = pathsFailed.with(device, entry);
          findings.each(() => {
            let count = 0;
            for (const slave of slaves) {
              const state = slave.file.read();
              if (state !== slave.state || slave.series === null) {
                slave.state = state;
                slave.series = pathState.with(device, slave.name, state);
              }
              slave.series.set(1);
              if (WORKING.includes(state)) count++;
            }
            working.set(count);
            failed.set(slaves.length - count);
          });
        }
      },
    });
  },
});
