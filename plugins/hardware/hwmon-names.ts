// Names and units of hardware monitoring attributes (Documentation/hwmon/sysfs-interface.rst of the
// kernel), as the metrics of node_exporter call them.

/** Kinds of sensors that are exposed. */
const KINDS: readonly string[] = [
  'vrm',
  'beep_enable',
  'update_interval',
  'in',
  'cpu',
  'fan',
  'pwm',
  'temp',
  'curr',
  'power',
  'energy',
  'humidity',
  'intrusion',
  'freq',
];

/** What a file such as temp1_max is about. */
export interface Attribute {
  readonly kind: string;
  /** Kind and number, as in "temp1"; number 0 where the file has none. */
  readonly sensor: string;
  /** As in "max"; '' for the sensor itself, as in pwm1. */
  readonly element: string;
}

/** Reads a file's name; null where it belongs to no sensor. */
export function parseAttribute(file: string): Attribute | null {
  const [, kind, number, element = ''] = /^([^0-9]+)([0-9]*)(?:_(.+))?$/.exec(file) ?? [];
  if (kind === undefined || !KINDS.includes(kind)) return null;
  return { kind, sensor: kind + Number(number || 0), element };
}

/** How an attribute is exposed. */
export interface Exposure {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly times: number;
  readonly over: number;
}

/**
 * The metric for an attribute. `hasPlain` tells whether the sensor has an element '' too, which then has
 * the plain name that "input" has otherwise.
 */
export function exposureOf({ kind, element }: Attribute, hasPlain: boolean): Exposure {
  const gauge = (name: string, help: string, times = 1, over = 1): Exposure => ({
    name,
    type: 'gauge',
    help,
    times,
    over,
  });
  if (kind === 'beep_enable') return gauge('node_hwmon_beep_enabled', 'Whether the chip may beep.');
  if (kind === 'vrm') {
    return gauge('node_hwmon_voltage_regulator_version', 'Version of the voltage regulator.');
  }
  if (kind === 'update_interval') {
    return gauge('node_hwmon_update_interval_seconds', 'How often the chip measures.', 0.001);
  }
  const isPlain = element === '' || (element === 'input' && !hasPlain);
  const name = `node_hwmon_${kind}${isPlain ? '' : `_${cleanName(element)}`}`;
  const help = `Hardware monitor: ${element || 'input'} of ${kind}.`;
  if (element === 'fault' || element === 'alarm') return gauge(name, help);
  if (element === 'beep') return gauge(`${name}_enabled`, help);
  switch (kind) {
    case 'in':
    case 'cpu':
      return gauge(`${name}_volts`, help, 0.001);
    case 'temp':
      return element === 'type' ? gauge(name, help) : gauge(`${name}_celsius`, help, 0.001);
    case 'curr':
      return gauge(`${name}_amps`, help, 0.001);
    case 'energy':
      return { ...gauge(`${name}_joule_total`, help, 1, 1e6), type: 'counter' };
    case 'power':
      if (element === 'accuracy') return gauge(name, help, 1, 1e6);
      if (/^average_interval(_min|_max)?$/.test(element)) {
        return gauge(`${name}_seconds`, help, 0.001);
      }
      return gauge(`${name}_watt`, help, 1, 1e6);
    case 'humidity':
      return gauge(name, help, 1, 1e6);
    case 'fan':
      return gauge(/^(input|min|max|target)$/.test(element) ? `${name}_rpm` : name, help);
    case 'freq':
      return element === 'input' ? gauge(`${name}_freq_mhz`, help, 1, 1e6) : gauge(name, help);
    default:
      return gauge(name, help);
  }
}

/** Lower case, with underscores for all that a metric name may not have, and none at the ends. */
export function cleanName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9:_]/g, '_')
    .replaceAll(/^_+|_+$/g, '');
}
