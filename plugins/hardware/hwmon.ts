// Temperatures, fans, voltages, currents and power of hardware monitoring chips (/sys/class/hwmon). Some
// sit behind slow buses, so they are read seldom and make way for others.

import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Family, Metrics } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { pattern } from '../sdk/options.ts';
import { collectDevices, type Findings } from './device-readings.ts';
import { type Attribute, cleanName, exposureOf, parseAttribute } from './hwmon-names.ts';

const DIRECTORY = 'class/hwmon';

/** A monitoring chip. */
interface Chip {
  /** Path below /sys. */
  readonly path: string;
  /** Unique name, from its device where it has one. */
  readonly name: string;
  /** What the driver calls it; null where it does not. */
  readonly driverName: string | null;
}

export const hwmon = defineCollector({
  name: 'hwmon',
  help: 'Temperatures, fans, voltages, currents and power of monitoring chips.',
  defaultEnabled: true,
  intervalMs: 5_000,
  options: {
    chipInclude: pattern('Chips to expose; takes the place of chipExclude.', ''),
    chipExclude: pattern('Chips to leave out.', ''),
    sensorInclude: pattern(
      'Sensors to expose, as "chip;sensor"; takes the place of sensorExclude.',
      '',
    ),
    sensorExclude: pattern('Sensors to leave out, as "chip;sensor".', ''),
  },
  open({ files, metrics, options, clock }) {
    const chipWanted = newNameFilter(options.chipInclude, options.chipExclude);
    const sensorWanted = newNameFilter(options.sensorInclude, options.sensorExclude);
    const chipNames = metrics.gauge({
      name: 'node_hwmon_chip_names',
      help: 'Name the driver has for the chip; always 1.',
      labels: ['chip', 'chip_name'],
    });
    const addSensor = newSensors(files, metrics);
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      isSlow: true,
      find(findings) {
        for (const chip of findChips(files)) {
          if (!chipWanted(chip.name)) continue;
          const driverName = cleanName(chip.driverName ?? '');
          if (driverName !== '') findings.constant(chipNames.with(chip.name, driverName), 1);
          for (const [sensor, elements] of findSensors(files, chip)) {
            if (sensorWanted(`${chip.name};${sensor}`)) addSensor(findings, chip.name, elements);
          }
        }
      },
    });
  },
});

/** Elements of a sensor and the files they are in. */
type Elements = ReadonlyMap<string, { readonly attribute: Attribute; readonly path: string }>;

function newSensors(files: Files, metrics: Metrics) {
  const labels = metrics.gauge({
    name: 'node_hwmon_sensor_label',
    help: 'Label of the sensor; always 1.',
    labels: ['chip', 'sensor', 'label'],
  });
  return (findings: Findings, chip: string, elements: Elements): void => {
    const labelPath = elements.get('label')?.path;
    const label = labelPath === undefined ? null : textOf(files, labelPath);
    for (const { attribute, path } of elements.values()) {
      const { kind, sensor, element } = attribute;
      if (element === 'label') {
        if (label !== null) findings.constant(labels.with(chip, sensor, label), 1);
        continue;
      }
      // Frequencies are told apart by what they belong to, such as a graphics clock.
      const isFrequency = kind === 'freq' && element === 'input';
      if (isFrequency && label === null) continue;
      const { name, type, help, times, over } = exposureOf(attribute, elements.has(''));
      const family: Family<readonly ['chip', 'sensor']> = metrics[type]({
        name,
        help,
        labels: ['chip', 'sensor'],
      });
      const series = family.with(chip, isFrequency ? cleanName(label!) : sensor);
      const isFlag = kind === 'beep_enable';
      findings.number(path, series, {
        times,
        over,
        ...(isFlag && { parse: text => (text === '1' ? 1 : 0) }),
      });
    }
  };
}

/** The sensors of a chip; older drivers have their files in the device's directory. */
function findSensors(files: Files, { path }: Chip): Map<string, Elements> {
  const sensors = new Map<string, Map<string, { attribute: Attribute; path: string }>>();
  for (const directory of [path, `${path}/device`]) {
    for (const entry of entriesOf(join(files.roots.sysfs, directory))) {
      const attribute = entry.isFile() ? parseAttribute(entry.name) : null;
      if (attribute === null) continue;
      const elements = sensors.get(attribute.sensor) ?? new Map();
      sensors.set(attribute.sensor, elements);
      elements.set(attribute.element, { attribute, path: `${directory}/${entry.name}` });
    }
  }
  return sensors;
}

function findChips(files: Files): Chip[] {
  const found = files.list(join(files.roots.sysfs, DIRECTORY)).flatMap(entry => {
    const path = `${DIRECTORY}/${entry}`;
    const driverName = textOf(files, `${path}/name`);
    const name = chipName(join(files.roots.sysfs, path), driverName);
    return name === null ? [] : [{ path, entry, name, driverName }];
  });
  const uses = (test: (chip: (typeof found)[number]) => boolean): number =>
    found.filter(test).length;
  return found.map(chip => {
    if (uses(({ name }) => name === chip.name) === 1) return chip;
    // Chips of one device are told apart by their drivers' names, and by number where that fails.
    const isUnique =
      uses(other => other.name === chip.name && other.driverName === chip.driverName) === 1;
    const suffix = isUnique ? cleanName(chip.driverName ?? '') : '';
    return { ...chip, name: `${chip.name}_${suffix || cleanName(chip.entry)}` };
  });
}

/** Kind and name of the chip's device, as in "platform_coretemp_0"; else the driver's name, or its own. */
function chipName(directory: string, driverName: string | null): string | null {
  const device = realPath(join(directory, 'device'));
  if (device !== null) {
    const kind = cleanName(basename(dirname(device)));
    const name = cleanName(basename(device));
    if (name !== '') return kind === '' ? name : `${kind}_${name}`;
  }
  const own = realPath(directory);
  if (own === null) return null;
  return cleanName(driverName ?? '') || cleanName(basename(own)) || null;
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Labels are the bytes of the hardware: what is no UTF-8 is replaced, and spaces at the ends stay. */
function textOf(files: Files, path: string): string | null {
  const bytes = files.bytes(join(files.roots.sysfs, path));
  return bytes && new TextDecoder().decode(bytes).replaceAll(/^\n+|\n+$/g, '');
}
