// PCI devices: identity, link speed and width, power state, virtual functions (/sys/bus/pci/devices). A
// server has hundreds of them, so the number is limited, with those first that carry data.

import { readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { flag, number } from '../sdk/options.ts';
import { type Conversion, collectDevices, type Findings } from './device-readings.ts';
import { resolvePciNames } from './pci-names.ts';

const DIRECTORY = 'bus/pci/devices';
const ID_FILES = ['usr/share/misc/pci.ids', 'usr/share/hwdata/pci.ids'];
const POWER_STATES = ['D0', 'D1', 'D2', 'D3hot', 'D3cold', 'unknown', 'error'] as const;
/** Classes whose devices come first: storage, network, display, accelerators. */
const FIRST_CLASSES = /^0x(01|02|03|12)/;
const GIGA = 1e9;

const LOCATION = ['segment', 'bus', 'device', 'function'] as const;
const IDENTITY = [
  'class_id',
  'vendor_id',
  'device_id',
  'subsystem_vendor_id',
  'subsystem_device_id',
  'revision',
] as const;
const IDENTITY_FILES = [
  ['class', 6],
  ['vendor', 4],
  ['device', 4],
  ['subsystem_vendor', 4],
  ['subsystem_device', 4],
  ['revision', 2],
] as const;
const NAMES = [
  'vendor_name',
  'device_name',
  'subsystem_vendor_name',
  'subsystem_device_name',
  'class_name',
] as const;

interface Device {
  readonly path: string;
  readonly location: Location;
  /** All '*' for a device on a root bus. */
  readonly parent: Location;
  /** In the order of IDENTITY, as in 0x8086. */
  readonly identity: readonly string[];
}
type Location = readonly [string, string, string, string];

export const pcidevice = defineCollector({
  name: 'pcidevice',
  help: 'Identity, link and power state of PCI devices.',
  defaultEnabled: true,
  intervalMs: 10_000,
  options: {
    names: flag('Adds names from the pci.ids file of the host.', false),
    maxDevices: number('Most devices that are exposed, those that carry data first.', 32, {
      min: 1,
      max: 10_000,
    }),
  },
  open({ files, metrics, options, clock, logger }) {
    const labels: readonly string[] = [
      ...LOCATION,
      ...LOCATION.map(label => `parent_${label}`),
      ...IDENTITY,
      ...NAMES,
    ];
    const info = metrics.gauge({
      name: 'node_pcidevice_info',
      help: 'Identity of the device; always 1.',
      labels,
    });
    const addNumbers = newNumbers(files, metrics);
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      isSlow: true,
      find(findings) {
        const all = findDevices(files);
        const devices = all.slice(0, options.maxDevices);
        if (devices.length < all.length) {
          logger.info('not all PCI devices are exposed', {
            devices: all.length,
            max_devices: options.maxDevices,
          });
        }
        const names = options.names
          ? namesOf(files, devices)
          : devices.map(() => NAMES.map(() => ''));
        for (const [i, device] of devices.entries()) {
          const values = [...device.location, ...device.parent, ...device.identity, ...names[i]!];
          findings.constant(info.with(...values), 1);
          addNumbers(findings, device);
        }
      },
    });
  },
});

function newNumbers(files: Files, metrics: Metrics): (findings: Findings, device: Device) => void {
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `node_pcidevice_${name}`, help, labels: LOCATION });
  const orUnknown: Conversion = { parse: text => parseLeading(text, -1) };
  const speed: Conversion = { parse: text => parseLeading(text, -1 / GIGA) * GIGA };
  const orZero: Conversion = { parse: text => parseLeading(text, 0) };
  const numbers = [
    [
      'max_link_speed',
      speed,
      gauge('max_link_transfers_per_second', 'Fastest the link can be; -1 is unknown.'),
    ],
    [
      'current_link_speed',
      speed,
      gauge('current_link_transfers_per_second', 'How fast the link is; -1 is unknown.'),
    ],
    [
      'max_link_width',
      orUnknown,
      gauge('max_link_width', 'Lanes the link can have; -1 is unknown.'),
    ],
    [
      'current_link_width',
      orUnknown,
      gauge('current_link_width', 'Lanes the link has; -1 is unknown.'),
    ],
    [
      'd3cold_allowed',
      orZero,
      gauge('d3cold_allowed', 'Whether the device may be powered off (1).'),
    ],
    [
      'sriov_drivers_autoprobe',
      orZero,
      gauge('sriov_drivers_autoprobe', 'Whether virtual functions get drivers (1).'),
    ],
    ['sriov_numvfs', orZero, gauge('sriov_numvfs', 'Virtual functions that are on.')],
    ['sriov_totalvfs', orZero, gauge('sriov_totalvfs', 'Virtual functions there can be.')],
    [
      'sriov_vf_total_msix',
      orZero,
      gauge('sriov_vf_total_msix', 'Interrupt vectors of the virtual functions.'),
    ],
  ] as const;
  const numa = gauge('numa_node', 'NUMA node of the device.');
  const power = metrics.gauge({
    name: 'node_pcidevice_power_state',
    help: 'Whether the device is in the power state (1).',
    labels: [...LOCATION, 'state'],
  });
  return (findings, { path, location }) => {
    const present = new Set(files.list(join(files.roots.sysfs, path)));
    for (const [file, conversion, family] of numbers) {
      const series = family.with(...location);
      if (present.has(file)) findings.number(`${path}/${file}`, series, conversion);
      else findings.constant(series, conversion.parse!(''));
    }
    const node = files.text(join(files.roots.sysfs, path, 'numa_node'));
    if (node !== null && node !== '-1') findings.constant(numa.with(...location), Number(node));
    if (!present.has('power_state')) return;
    const state = findings.text(`${path}/power_state`);
    const states = POWER_STATES.map(name => power.with(...location, name));
    findings.each(() => {
      const current = state.read();
      for (let i = 0; i < states.length; i++) states[i]!.set(POWER_STATES[i] === current ? 1 : 0);
    });
  };
}

function findDevices(files: Files): Device[] {
  const devices = files.list(join(files.roots.sysfs, DIRECTORY)).flatMap(entry => {
    const path = `${DIRECTORY}/${entry}`;
    const location = parseLocation(entry);
    if (location === null) return [];
    const identity = IDENTITY_FILES.map(([file, digits]) => {
      const value = Number(files.text(join(files.roots.sysfs, path, file)) ?? 0);
      return `0x${value.toString(16).padStart(digits, '0')}`;
    });
    return [{ path, location, parent: parentOf(join(files.roots.sysfs, path)), identity }];
  });
  const rank = ({ identity }: Device): number => (FIRST_CLASSES.test(identity[0]!) ? 0 : 1);
  return devices.sort((a, b) => rank(a) - rank(b));
}

/** A device's place in the tree of buses is the target of its link. */
function parentOf(path: string): Location {
  try {
    const parent = parseLocation(basename(dirname(readlinkSync(path))));
    if (parent !== null) return parent;
  } catch {
    // Not a link: a tree that was copied without them.
  }
  return ['*', '*', '*', '*'];
}

function parseLocation(text: string): Location | null {
  const match = /^([0-9a-f]{4,}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-9a-f])$/.exec(text);
  return match && [match[1]!, match[2]!, match[3]!, match[4]!];
}

/** The number a text such as "8.0 GT/s PCIe" begins with; `unknown` where it has none. */
function parseLeading(text: string, unknown: number): number {
  const value = Number.parseFloat(text);
  return Number.isNaN(value) ? unknown : value;
}

function namesOf(files: Files, devices: readonly Device[]): (readonly string[])[] {
  const text = ID_FILES.map(path => files.text(join(files.roots.rootfs, path))).find(
    found => found !== null,
  );
  const ids = devices.map(({ identity }) => {
    const [code, vendor, device, subsystemVendor, subsystemDevice] = identity.map(id =>
      id.slice(2),
    );
    return {
      class: code!,
      vendor: vendor!,
      device: device!,
      subsystemVendor: subsystemVendor!,
      subsystemDevice: subsystemDevice!,
    };
  });
  return resolvePciNames(text ?? '', ids).map(names => [
    names.vendor,
    names.device,
    names.subsystemVendor,
    names.subsystemDevice,
    names.class,
  ]);
}
