// What network devices are and whether their links are up, from /sys/class/net. The state and the count of
// changes of a link are read at every collection; the rest, among it what takes the kernel's network lock,
// when either has changed and now and then.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { flag, pattern } from '../sdk/options.ts';
import { Cadence } from './cadence.ts';
import { DirectoryRows } from './directory-rows.ts';

const SLOW_MS = 30_000;
/** Mbit/s to bytes/s. */
const SPEED_FACTOR = 1_000_000 / 8;
/** IFF_UP of linux/if.h. */
const FLAG_UP = 1;

/** File and metric of each number, apart from the changes of the link. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ['addr_assign_type', 'address_assign_type'],
  ['carrier', 'carrier'],
  ['carrier_up_count', 'carrier_up_changes_total'],
  ['carrier_down_count', 'carrier_down_changes_total'],
  ['dev_id', 'device_id'],
  ['dormant', 'dormant'],
  ['flags', 'flags'],
  ['ifindex', 'iface_id'],
  ['iflink', 'iface_link'],
  ['link_mode', 'iface_link_mode'],
  ['mtu', 'mtu_bytes'],
  ['name_assign_type', 'name_assign_type'],
  ['netdev_group', 'net_dev_group'],
  ['speed', 'speed_bytes'],
  ['tx_queue_len', 'transmit_queue_length'],
  ['type', 'protocol_type'],
];
const INFO_LABELS = [
  'device',
  'address',
  'broadcast',
  'duplex',
  'operstate',
  'adminstate',
  'ifalias',
] as const;

export const netclass = defineCollector({
  name: 'netclass',
  help: 'Links, speeds, addresses and flags of network devices.',
  defaultEnabled: true,
  options: {
    ignoredDevices: pattern(
      'Devices to leave out: the ends of containers by default.',
      '^(veth.*|cali.*|[a-f0-9]{15})$',
    ),
    ignoreInvalidSpeed: flag('Leave speeds out that the driver gives as below 0.', false),
  },
  open({ files, metrics, options }) {
    const path = join(files.roots.sysfs, 'class/net');
    const families = newFamilies(metrics);
    const rows = new DirectoryRows<Device>({
      files,
      path,
      // Some entries are files of drivers, such as bonding_masters.
      wanted: name => !options.ignoredDevices?.test(name) && existsSync(join(path, name, 'type')),
      make: name => new Device(files, join(path, name), { name, families, ...options }),
      drop: device => device.close(),
    });
    const absent = new NoDataError(`no ${path}`);
    return time => {
      const devices = rows.at(time);
      if (devices === null) throw absent;
      for (const device of devices) device.report(time);
    };
  },
});

type Families = ReturnType<typeof newFamilies>;

function newFamilies(metrics: Metrics) {
  const family = (name: string, help: string) => {
    const description = { name: `node_network_${name}`, help, labels: ['device'] } as const;
    return name.endsWith('_total') ? metrics.counter(description) : metrics.gauge(description);
  };
  return {
    up: family('up', 'Whether the device is up and running (1).'),
    info: metrics.gauge({
      name: 'node_network_info',
      help: 'What the device is, in words; always 1.',
      labels: INFO_LABELS,
    }),
    changes: family('carrier_changes_total', 'Times the link went up or down.'),
    numbers: NUMBERS.map(
      ([file, name]) => [file, family(name, `Attribute ${file} of the network device.`)] as const,
    ),
  };
}

class Device {
  readonly #files: Files;
  readonly #directory: string;
  readonly #name: string;
  readonly #families: Families;
  readonly #ignoreInvalidSpeed: boolean;
  readonly #cadence = new Cadence(SLOW_MS);
  readonly #stateFile: PseudoFile;
  readonly #up: Series;
  readonly #changesFile: PseudoFile;
  readonly #changes: Series;
  readonly #numbers: readonly (readonly [file: string, Series])[];
  #lastState = '';
  #lastChanges = Number.NaN;
  #found: (readonly [Series, number])[] = [];

  constructor(
    files: Files,
    directory: string,
    is: { readonly name: string; families: Families; ignoreInvalidSpeed: boolean },
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#name = is.name;
    this.#families = is.families;
    this.#ignoreInvalidSpeed = is.ignoreInvalidSpeed;
    this.#stateFile = files.file(join(directory, 'operstate'));
    this.#up = is.families.up.with(is.name);
    this.#changesFile = files.file(join(directory, 'carrier_changes'));
    this.#changes = is.families.changes.with(is.name);
    this.#numbers = is.families.numbers.map(([file, family]) => [file, family.with(is.name)]);
  }

  report(time: number): void {
    const state = this.#stateFile.readIfPresent();
    // The device has gone since it was listed.
    if (!state?.line() || !state.word()) return;
    let changed = this.#cadence.due(time);
    if (!state.is(this.#lastState)) {
      this.#lastState = state.text();
      changed = true;
    }
    this.#up.set(this.#lastState === 'up' ? 1 : 0);
    const changes = this.#changesFile.readNumber();
    if (!Number.isNaN(changes)) {
      this.#changes.set(changes);
      if (changes !== this.#lastChanges) changed = true;
      this.#lastChanges = changes;
    }
    if (changed) this.#readAll();
    for (const [series, value] of this.#found) series.set(value);
  }

  close(): void {
    this.#files.forget(this.#stateFile);
    this.#files.forget(this.#changesFile);
  }

  #readAll(): void {
    const text = (file: string): string => this.#files.text(join(this.#directory, file)) ?? '';
    this.#found = [];
    for (const [file, series] of this.#numbers) {
      const written = text(file);
      // Kernels write flags, device ids and the like as hexadecimal numbers with a prefix.
      const value = written === '' ? Number.NaN : Number(written);
      if (Number.isNaN(value)) continue;
      if (file !== 'speed') this.#found.push([series, value]);
      else if (value >= 0 || !this.#ignoreInvalidSpeed) {
        this.#found.push([series, Math.trunc(value * SPEED_FACTOR)]);
      }
    }
    const flags = text('flags');
    const adminState = flags === '' ? 'unknown' : Number(flags) & FLAG_UP ? 'up' : 'down';
    const info = this.#families.info.with(
      this.#name,
      text('address'),
      text('broadcast'),
      text('duplex'),
      text('operstate'),
      adminState,
      text('ifalias'),
    );
    this.#found.push([info, 1]);
  }
}
