// What `nvme smart-log -o json` says, put as smartctl puts it, for hosts that have the one and not the
// other.

import { numberAt, parseJson, valueAt } from './json-path.ts';

const ZERO_CELSIUS_IN_KELVIN = 273;

/** Its name for a value, and smartctl's. */
const HEALTH = [
  ['critical_warning', 'critical_warning'],
  ['avail_spare', 'available_spare'],
  ['spare_thresh', 'available_spare_threshold'],
  ['percent_used', 'percentage_used'],
  ['data_units_read', 'data_units_read'],
  ['data_units_written', 'data_units_written'],
  ['media_errors', 'media_errors'],
  ['num_err_log_entries', 'num_err_log_entries'],
] as const;

/** Identity of the controller, from sysfs. */
export interface NvmeIdentity {
  readonly path: string;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
}

/** A report as smartctl would print it; null where the text is no answer of nvme. */
export function smartFromNvme(text: string, identity: NvmeIdentity): unknown {
  const json = parseJson(text);
  if (Number.isNaN(numberAt(json, 'temperature'))) return null;
  const log = HEALTH.flatMap(([theirs, name]) => {
    const value = valueAt(json, theirs);
    // Newer versions spell the bits of the warning out, with their sum beside them.
    const isSpelt = typeof value === 'object' && value !== null;
    return value === undefined ? [] : [[name, isSpelt ? numberAt(value, 'value') : Number(value)]];
  });
  const warnings = Number(Object.fromEntries(log)['critical_warning'] ?? 0);
  return {
    device: { name: identity.path, type: 'nvme', protocol: 'NVMe' },
    model_name: identity.model,
    serial_number: identity.serial,
    firmware_version: identity.firmware,
    smart_status: { passed: warnings === 0 },
    temperature: { current: numberAt(json, 'temperature') - ZERO_CELSIUS_IN_KELVIN },
    power_cycle_count: numberAt(json, 'power_cycles'),
    power_on_time: { hours: numberAt(json, 'power_on_hours') },
    nvme_smart_health_information_log: Object.fromEntries(log),
  };
}
