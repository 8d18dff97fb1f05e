// Watchdog timers (/sys/class/watchdog).

import { defineCollector } from '../sdk/collector.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/watchdog';

/** File, metric, help. */
const NUMBERS: readonly (readonly [string, string, string])[] = [
  ['bootstatus', 'bootstatus', 'Why the host booted, as the watchdog tells it.'],
  ['fw_version', 'fw_version', 'Version of the watchdog\u2019s firmware.'],
  ['nowayout', 'nowayout', 'Whether the watchdog cannot be stopped once it runs (1).'],
  ['timeleft', 'timeleft_seconds', 'Time left before the watchdog resets the host.'],
  ['timeout', 'timeout_seconds', 'Silence after which the watchdog resets the host.'],
  ['pretimeout', 'pretimeout_seconds', 'Time before the reset at which the kernel is told.'],
  ['access_cs0', 'access_cs0', 'Whether the alternative boot flash was used.'],
];
const TEXTS = ['options', 'identity', 'state', 'status', 'pretimeout_governor'] as const;

export const watchdog = defineCollector({
  name: 'watchdog',
  help: 'State and times of watchdog timers.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const families = NUMBERS.map(([file, name, help]) => ({
      file,
      family: metrics.gauge({ name: `node_watchdog_${name}`, help, labels: ['name'] }),
    }));
    const info = metrics.gauge({
      name: 'node_watchdog_info',
      help: 'Identity and state of the watchdog; always 1.',
      labels: ['name', ...TEXTS],
    });
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const name of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          const path = `${DIRECTORY}/${name}`;
          for (const { file, family } of families) {
            findings.number(`${path}/${file}`, family.with(name));
          }
          findings.info(info, [{ text: name }, ...TEXTS.map(text => `${path}/${text}`)]);
        }
      },
    });
  },
});
