// What the firmware says about machine, board and chassis (/sys/class/dmi/id). Serial numbers are for root
// alone; without them the rest is exposed.

import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/dmi/id';

/** The labels; each is a file of this name but for the last. */
const LABELS = [
  'bios_date',
  'bios_release',
  'bios_vendor',
  'bios_version',
  'board_asset_tag',
  'board_name',
  'board_serial',
  'board_vendor',
  'board_version',
  'chassis_asset_tag',
  'chassis_serial',
  'chassis_vendor',
  'chassis_version',
  'product_family',
  'product_name',
  'product_serial',
  'product_sku',
  'product_uuid',
  'product_version',
  'system_vendor',
] as const;

export const dmi = defineCollector({
  name: 'dmi',
  help: 'Machine, board, chassis and firmware as the firmware names them.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const info = metrics.gauge({
      name: 'node_dmi_info',
      help: 'Identity of machine, board, chassis and firmware; always 1.',
      labels: LABELS,
    });
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        const texts = LABELS.map(label => {
          const file = label === 'system_vendor' ? 'sys_vendor' : label;
          return files.text(`${files.roots.sysfs}/${DIRECTORY}/${file}`) ?? '';
        });
        if (texts.every(text => text === '')) throw new NoDataError('the firmware says nothing');
        findings.info(
          info,
          texts.map(text => ({ text })),
        );
      },
    });
  },
});
