// Batteries, chargers and mains (/sys/class/power_supply; Documentation/ABI/testing/sysfs-class-power of
// the kernel).

import { defineCollector } from '../sdk/collector.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { pattern } from '../sdk/options.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/power_supply';

/** Plain numbers: file and, where it differs, metric. */
const COUNTS = [
  'authentic',
  'calibrate',
  'capacity',
  'capacity_alert_max',
  'capacity_alert_min',
  'cycle_count=cyclecount',
  'online',
  'present',
  'time_to_empty_now=time_to_empty_seconds',
  'time_to_full_now=time_to_full_seconds',
];

/** Written in millionths of the unit. */
const MILLIONTHS = [
  'current_boot',
  'current_max',
  'current_now=current_ampere',
  'energy_empty',
  'energy_empty_design',
  'energy_full',
  'energy_full_design',
  'energy_now=energy_watthour',
  'voltage_boot',
  'voltage_max',
  'voltage_max_design',
  'voltage_min',
  'voltage_min_design',
  'voltage_now=voltage_volt',
  'voltage_ocv',
  'charge_control_limit',
  'charge_control_limit_max',
  'charge_counter',
  'charge_empty',
  'charge_empty_design',
  'charge_full',
  'charge_full_design',
  'charge_now=charge_ampere',
  'charge_term_current',
  'constant_charge_current',
  'constant_charge_current_max',
  'constant_charge_voltage',
  'constant_charge_voltage_max',
  'precharge_current',
  'input_current_limit',
  'power_now=power_watt',
];

/** Written in tenths of a degree Celsius. */
const TENTHS = [
  'temp=temp_celsius',
  'temp_alert_max=temp_alert_max_celsius',
  'temp_alert_min=temp_alert_min_celsius',
  'temp_ambient=temp_ambient_celsius',
  'temp_ambient_max=temp_ambient_max_celsius',
  'temp_ambient_min=temp_ambient_min_celsius',
  'temp_max=temp_max_celsius',
  'temp_min=temp_min_celsius',
];

/** Files of /sys/class/power_supply/<name> whose texts become labels. */
const TEXTS = [
  'capacity_level',
  'charge_type',
  'health',
  'manufacturer',
  'model_name',
  'serial_number',
  'status',
  'technology',
  'type',
  'usb_type',
  'scope',
] as const;

const NUMBERS = (
  [
    [COUNTS, 1],
    [MILLIONTHS, 1e6],
    [TENTHS, 10],
  ] as const
).flatMap(([entries, over]) =>
  entries.map(entry => {
    const [file, name = file] = entry.split('=');
    return { file: file!, name: name!, over };
  }),
);

export const powerSupplyClass = defineCollector({
  name: 'powersupplyclass',
  help: 'Charge, current, voltage and state of batteries and power supplies.',
  defaultEnabled: true,
  intervalMs: 5_000,
  options: { ignoredSupplies: pattern('Power supplies to leave out.', '^$') },
  open({ files, metrics, options, clock }) {
    const wanted = newNameFilter(null, options.ignoredSupplies);
    const info = metrics.gauge({
      name: 'node_power_supply_info',
      help: 'Identity and state of the power supply; always 1.',
      labels: ['power_supply', ...TEXTS],
    });
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      isSlow: true,
      find(findings) {
        for (const supply of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          if (!wanted(supply)) continue;
          const path = `${DIRECTORY}/${supply}`;
          const present = new Set(files.list(`${files.roots.sysfs}/${path}`));
          for (const { file, name, over } of NUMBERS) {
            if (!present.has(file)) continue;
            const help = `The kernel's ${file} of the power supply, in base units where it has any.`;
            const family = metrics.gauge({
              name: `node_power_supply_${name}`,
              help,
              labels: ['power_supply'],
            });
            findings.number(`${path}/${file}`, family.with(supply), { over });
          }
          findings.info(info, [
            { text: supply },
            ...TEXTS.map(text => (present.has(text) ? `${path}/${text}` : { text: '' })),
          ]);
        }
      },
    });
  },
});
