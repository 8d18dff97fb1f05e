// Temperatures and cooling devices of the kernel's thermal framework (/sys/class/thermal).

import { defineCollector } from '../sdk/collector.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/thermal';

export const thermalZone = defineCollector({
  name: 'thermal_zone',
  help: 'Temperatures of thermal zones and states of cooling devices.',
  defaultEnabled: true,
  intervalMs: 5_000,
  open({ files, metrics, clock }) {
    const temperature = metrics.gauge({
      name: 'node_thermal_zone_temp',
      help: 'Temperature of the zone in degrees Celsius.',
      labels: ['zone', 'type'],
    });
    const [current, most] = (['cur', 'max'] as const).map(state =>
      metrics.gauge({
        name: `node_cooling_device_${state}_state`,
        help: `${state === 'cur' ? 'Present' : 'Strongest'} throttle state of the cooling device.`,
        labels: ['name', 'type'],
      }),
    );
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: false,
      isSlow: true,
      find(findings) {
        for (const entry of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          const [, kind, index] = /^(thermal_zone|cooling_device)(\d.*)$/.exec(entry) ?? [];
          if (index === undefined) continue;
          const path = `${DIRECTORY}/${entry}`;
          const type = files.text(`${files.roots.sysfs}/${path}/type`) ?? '';
          if (kind === 'thermal_zone') {
            findings.number(`${path}/temp`, temperature.with(index, type), { over: 1000 });
          } else {
            findings.number(`${path}/cur_state`, current!.with(index, type));
            findings.number(`${path}/max_state`, most!.with(index, type));
          }
        }
      },
    });
  },
});
