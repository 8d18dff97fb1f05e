// AMD graphics cards, as their kernel driver tells of them (/sys/class/drm/card*).

import { defineCollector } from '../sdk/collector.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/drm';

/** File of the device, metric, help. */
const NUMBERS: readonly (readonly [string, string, string])[] = [
  ['gpu_busy_percent', 'gpu_busy_percent', 'How busy the card is, in percent.'],
  ['mem_info_gtt_total', 'memory_gtt_size_bytes', 'Size of the graphics translation table.'],
  ['mem_info_gtt_used', 'memory_gtt_used_bytes', 'Used part of the graphics translation table.'],
  ['mem_info_vis_vram_total', 'memory_vis_vram_size_bytes', 'Video memory the host can see.'],
  ['mem_info_vis_vram_used', 'memory_vis_vram_used_bytes', 'Used part of what the host can see.'],
  ['mem_info_vram_total', 'memory_vram_size_bytes', 'Size of the video memory.'],
  ['mem_info_vram_used', 'memory_vram_used_bytes', 'Used part of the video memory.'],
];

export const drm = defineCollector({
  name: 'drm',
  help: 'Load and memory of AMD graphics cards.',
  defaultEnabled: false,
  intervalMs: 5_000,
  open({ files, metrics, clock }) {
    const info = metrics.gauge({
      name: 'node_drm_card_info',
      help: 'Identity of the card; always 1.',
      labels: ['card', 'memory_vendor', 'power_performance_level', 'unique_id', 'vendor'],
    });
    const families = NUMBERS.map(([file, name, help]) => ({
      file,
      family: metrics.gauge({ name: `node_drm_${name}`, help, labels: ['card'] }),
    }));
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: false,
      isSlow: true,
      find(findings) {
        for (const card of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          const path = `${DIRECTORY}/${card}/device`;
          const uevent = files.text(`${files.roots.sysfs}/${path}/uevent`) ?? '';
          if (!/^card\d$/.test(card) || !/^DRIVER=amdgpu$/m.test(uevent)) continue;
          findings.info(info, [
            { text: card },
            `${path}/mem_info_vram_vendor`,
            `${path}/power_dpm_force_performance_level`,
            `${path}/unique_id`,
            { text: 'amd' },
          ]);
          for (const { file, family } of families) {
            findings.number(`${path}/${file}`, family.with(card));
          }
        }
      },
    });
  },
});
