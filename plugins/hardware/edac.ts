// Memory errors by controller, row and channel, as the kernel's EDAC drivers count them
// (/sys/devices/system/edac/mc).

import { defineCollector } from '../sdk/collector.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'devices/system/edac/mc';
/** The row of errors whose place is not known. */
const UNKNOWN_ROW = 'unknown';
const KINDS = [
  ['ce', 'correctable'],
  ['ue', 'uncorrectable'],
] as const;

export const edac = defineCollector({
  name: 'edac',
  help: 'Memory errors that were corrected and those that could not be.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const list = (path: string, name: RegExp): string[] =>
      files.list(`${files.roots.sysfs}/${path}`).flatMap(entry => name.exec(entry)?.[1] ?? []);
    const kinds = KINDS.map(([file, kind]) => ({
      file,
      controller: metrics.counter({
        name: `node_edac_${kind}_errors_total`,
        help: `Memory errors of the controller that were ${kind}.`,
        labels: ['controller'],
      }),
      row: metrics.counter({
        name: `node_edac_csrow_${kind}_errors_total`,
        help: `Memory errors of the row that were ${kind}.`,
        labels: ['controller', 'csrow'],
      }),
      channel: metrics.counter({
        name: `node_edac_channel_${kind}_errors_total`,
        help: `Memory errors of the channel that were ${kind}.`,
        labels: ['controller', 'csrow', 'channel', 'dimm_label'],
      }),
    }));
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: false,
      find(findings) {
        for (const controller of list(DIRECTORY, /^mc(\d+)$/)) {
          const path = `${DIRECTORY}/mc${controller}`;
          for (const kind of kinds) {
            findings.number(`${path}/${kind.file}_count`, kind.controller.with(controller));
            const unknown = kind.row.with(controller, UNKNOWN_ROW);
            findings.number(`${path}/${kind.file}_noinfo_count`, unknown);
          }
          for (const row of list(path, /^csrow(\d+)$/)) {
            const rowPath = `${path}/csrow${row}`;
            for (const kind of kinds) {
              findings.number(`${rowPath}/${kind.file}_count`, kind.row.with(controller, row));
            }
            for (const channel of list(rowPath, /^ch(\d+)_ce_count$/)) {
              const text = files.text(`${files.roots.sysfs}/${rowPath}/ch${channel}_dimm_label`);
              const label = text === null ? 'unknown' : dimmLabel(text);
              for (const kind of kinds) {
                const series = kind.channel.with(controller, row, channel, label);
                findings.number(`${rowPath}/ch${channel}_${kind.file}_count`, series);
              }
            }
          }
        }
      },
    });
  },
});

/** The kernel writes `mc#0csrow#0channel#0`; a label reads mc0_csrow0_channel0. */
function dimmLabel(text: string): string {
  return text.replaceAll('#', '').replaceAll('csrow', '_csrow').replaceAll('channel', '_channel');
}
