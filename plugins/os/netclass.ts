// What network devices are and whether their links are up, from /sys/class/net. Links are read at every
// collection; what changes seldom, among it what takes the kernel's network lock, now and then.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { flag, pattern } from '../sdk/options.ts';
import { Cadence } from './cadence.ts';
import { DirectoryRows } from './directory-rows.ts';
import { NumberFiles } from './number-files.ts';

const SLOW_MS = 10_000;
/** Mbit/s to bytes/s. */
const SPEED_FACTOR = 1_000_000 / 8;
/** IFF_UP of linux/if.h. */
const FLAG_UP = 1;

/** File and metric of what can change at any moment. */
const LIVE: readonly (readonly [string, string])[] = [
  ['carrier', 'carrier'],
  ['carrier_changes', 'carrier_changes_total'],
  ['carrier_up_count', 'carrier_up_changes_total'],
  ['carrier_down_count', 'carrier_down_changes_total'],
];
/** File and metric of what an administrator or a cable changes. */
const SLOW: readonly (readonly [string, string])[] = [
  ['addr_assign_type', 'address_assign_type'],
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
    numbers: new Map(
      [...LIVE, ...SLOW].map(([file, name]) => [
        file,
        family(name, `Attribute ${file} of the network device.`),
      ]),
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
  readonly #live: NumberFiles;
  readonly #state: PseudoFile;
  readonly #up: Series;
  readonly #slow: readonly (readonly [file: string, Series])[];
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
    const series = (file: string): Series => is.families.numbers.get(file)!.with(is.name);
    this.#live = new NumberFiles(files);
    for (const [file] of LIVE) this.#live.add(join(directory, file), series(file));
    this.#slow = SLOW.map(([file]) => [file, series(file)] as const);
    this.#state = files.file(join(directory, 'operstate'));
    this.#up = is.families.up.with(is.name);
  }

  report(time: number): void {
    const state = this.#state.readIfPresent();
    // The device has gone since it was listed.
    if (!state?.line() || !state.word()) return;
    this.#up.set(state.is('up') ? 1 : 0);
    this.#live.report(time);
    if (this.#cadence.due(time)) this.#readSlow();
    for (const [series, value] of this.#found) series.set(value);
  }

  close(): void {
    this.#live.close();
    this.#files.forget(this.#state);
  }

  #readSlow(): void {
    const text = (file: string): string => this.#files.text(join(this.#directory, file)) ?? '';
    this.#found = [];
    for (const [file, series] of this.#slow) {
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
