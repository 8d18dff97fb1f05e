// What freeipmi's programs print, as ipmi_exporter reads it. Pure: texts in, samples out.

/** One sample; names and labels are ipmi_exporter's. */
export interface IpmiSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const STATES: Readonly<Record<string, number>> = { Nominal: 0, Warning: 1, Critical: 2 };

/** Unit of a sensor, its metric, and that of its state. */
const KINDS: Readonly<Record<string, readonly [value: string, state: string]>> = {
  RPM: ['ipmi_fan_speed_rpm', 'ipmi_fan_speed_state'],
  C: ['ipmi_temperature_celsius', 'ipmi_temperature_state'],
  A: ['ipmi_current_amperes', 'ipmi_current_state'],
  V: ['ipmi_voltage_volts', 'ipmi_voltage_state'],
  W: ['ipmi_power_watts', 'ipmi_power_state'],
};
const FAN_PERCENT = ['ipmi_fan_speed_ratio', 'ipmi_fan_speed_state'] as const;

/** Lines of `ipmimonitoring`: identifier, name, type, state, reading, unit, event. */
export function parseSensors(text: string): IpmiSample[] {
  return text.split('\n').flatMap(line => {
    const [id, name, type, state, reading, unit] = line.split(',');
    if (unit === undefined || !/^\d+$/.test(id!)) return [];
    const isFanPercent = unit === '%' && type === 'Fan';
    const kind = isFanPercent ? FAN_PERCENT : KINDS[unit];
    const labels = { id: id!, name: name!, ...(!kind && { type: type! }) };
    const value = Number(reading) * (isFanPercent ? 0.01 : 1);
    const [valueName, stateName] = kind ?? ['ipmi_sensor_value', 'ipmi_sensor_state'];
    const samples = [
      { name: valueName, labels, value: reading === 'N/A' ? Number.NaN : value },
      { name: stateName, labels, value: STATES[state!] ?? Number.NaN },
    ];
    return samples.filter(sample => !Number.isNaN(sample.value));
  });
}

/** What `ipmi-dcmi --get-system-power-statistics` says of the power in use. */
export function parseDcmi(text: string): IpmiSample[] {
  if (field(text, 'Power Measurement') !== 'Active') return [];
  return numbers(text, { ipmi_dcmi_power_consumption_watts: 'Current Power' });
}

/** What `ipmi-chassis --get-chassis-status` says; a fault is 0, as in ipmi_exporter. */
export function parseChassis(text: string): IpmiSample[] {
  return flags(text, [
    ['ipmi_chassis_power_state', 'System Power', 'on'],
    ['ipmi_chassis_drive_fault_state', 'Drive Fault', 'false'],
    ['ipmi_chassis_cooling_fault_state', 'Cooling/fan fault', 'false'],
  ]);
}

/** What `ipmi-sel --info` says of the log of the machine. */
export function parseSel(text: string): IpmiSample[] {
  return numbers(text, {
    ipmi_sel_logs_count: 'Number of log entries',
    ipmi_sel_free_space_bytes: 'Free space remaining',
  });
}

/** What `bmc-info` says. */
export function parseBmc(text: string): IpmiSample[] {
  const firmware = field(text, 'Firmware Revision');
  if (firmware === '') return [];
  const labels = {
    firmware_revision: /^[0-9.]*/.exec(firmware)![0],
    manufacturer_id: field(text, 'Manufacturer ID'),
    system_firmware_version: field(text, 'System Firmware Version') || 'N/A',
    bmc_url: field(text, 'BMC URL') || 'N/A',
  };
  return [{ name: 'ipmi_bmc_info', labels, value: 1 }];
}

/** What `bmc-watchdog --get` says. */
export function parseWatchdog(text: string): IpmiSample[] {
  const oneOf = (name: string, key: string, label: string, choices: readonly string[]) => {
    const current = field(text, key);
    if (current === '') return [];
    return choices.map(choice => ({
      name,
      labels: { [label]: choice },
      value: choice === current ? 1 : 0,
    }));
  };
  return [
    ...flags(text, [
      ['ipmi_bmc_watchdog_timer_state', 'Timer', 'Running'],
      ['ipmi_bmc_watchdog_logging_state', 'Logging', 'Enabled'],
    ]),
    ...oneOf('ipmi_bmc_watchdog_timer_use_state', 'Timer Use', 'name', [
      'BIOS FRB2',
      'BIOS POST',
      'OS LOAD',
      'SMS/OS',
      'OEM',
    ]),
    ...oneOf('ipmi_bmc_watchdog_timeout_action_state', 'Timeout Action', 'action', [
      'None',
      'Hard Reset',
      'Power Down',
      'Power Cycle',
    ]),
    ...oneOf('ipmi_bmc_watchdog_pretimeout_interrupt_state', 'Pre-Timeout Interrupt', 'interrupt', [
      'None',
      'SMI',
      'NMI / Diagnostic Interrupt',
      'Messaging Interrupt',
    ]),
    ...numbers(text, {
      ipmi_bmc_watchdog_pretimeout_interval_seconds: 'Pre-Timeout Interval',
      ipmi_bmc_watchdog_initial_countdown_seconds: 'Initial Countdown',
      ipmi_bmc_watchdog_current_countdown_seconds: 'Current Countdown',
    }),
  ];
}

/** The text after "name :" on the line that begins so; '' where there is none. */
function field(text: string, name: string): string {
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon !== -1 && line.slice(0, colon).trim() === name) return line.slice(colon + 1).trim();
  }
  return '';
}

function numbers(text: string, fields: Readonly<Record<string, string>>): IpmiSample[] {
  return Object.entries(fields).flatMap(([name, key]) => {
    const value = Number.parseFloat(field(text, key));
    return Number.isNaN(value) ? [] : [{ name, labels: {}, value }];
  });
}

function flags(text: string, fields: readonly (readonly [string, string, string])[]): IpmiSample[] {
  return fields.flatMap(([name, key, yes]) => {
    const value = field(text, key);
    return value === '' ? [] : [{ name, labels: {}, value: value === yes ? 1 : 0 }];
  });
}
