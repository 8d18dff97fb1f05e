// Frequencies and governors of the CPUs (/sys/devices/system/cpu/cpu*/cpufreq). Reading the present
// frequency can take a CPU 20 ms, so it is read seldom and make way for others.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'devices/system/cpu';
const KILOHERTZ = 1000;

/** File, metric, help. */
const NUMBERS: readonly (readonly [string, string, string])[] = [
  ['cpuinfo_cur_freq', 'frequency_hertz', 'Frequency the hardware says the CPU has.'],
  ['cpuinfo_avg_freq', 'frequency_avg_hertz', 'Average frequency of the CPU.'],
  ['cpuinfo_min_freq', 'frequency_min_hertz', 'Lowest frequency of the CPU.'],
  ['cpuinfo_max_freq', 'frequency_max_hertz', 'Highest frequency of the CPU.'],
  ['scaling_cur_freq', 'scaling_frequency_hertz', 'Frequency the kernel has chosen.'],
  ['scaling_min_freq', 'scaling_frequency_min_hertz', 'Lowest frequency the kernel may choose.'],
  ['scaling_max_freq', 'scaling_frequency_max_hertz', 'Highest frequency the kernel may choose.'],
];

export const cpufreq = defineCollector({
  name: 'cpufreq',
  help: 'Frequencies and frequency governors of the CPUs.',
  defaultEnabled: true,
  intervalMs: 5_000,
  open({ files, metrics, clock }) {
    const families = NUMBERS.map(([file, name, help]) => ({
      file,
      // The cpu collector can have the first of these names too, with its labels filled in.
      open: () =>
        metrics.gauge({ name: `node_cpu_${name}`, help, labels: ['package', 'core', 'cpu'] }),
    }));
    const governors = metrics.gauge({
      name: 'node_cpu_scaling_governor',
      help: 'Whether the governor is in charge of the CPU (1).',
      labels: ['cpu', 'governor'],
    });
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: false,
      isSlow: true,
      find(findings) {
        for (const entry of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          const [, cpu] = /^cpu(\d+)$/.exec(entry) ?? [];
          if (cpu === undefined) continue;
          const path = `${DIRECTORY}/${entry}/cpufreq`;
          const present = files.list(`${files.roots.sysfs}/${path}`);
          for (const { file, open } of families) {
            if (!present.includes(file)) continue;
            findings.number(`${path}/${file}`, open().with('', '', cpu), { times: KILOHERTZ });
          }
          if (!present.includes('scaling_governor')) continue;
          const list = files.text(`${files.roots.sysfs}/${path}/scaling_available_governors`) ?? '';
          const known = list.split(' ').map(name => [name, governors.with(cpu, name)] as const);
          const current = findings.text(`${path}/scaling_governor`);
          findings.each(() => setGovernor(known, current.read()));
        }
      },
    });
  },
});

function setGovernor(known: readonly (readonly [string, Series])[], current: string): void {
  if (current === '') return;
  for (const [name, series] of known) series.set(name === current ? 1 : 0);
}
