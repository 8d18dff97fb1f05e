// How many neighbours each device has in the kernel's ARP table, from /proc/net/arp.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';

/** Words of a line before the device: address, hardware type, flags, hardware address, mask. */
const WORDS_BEFORE_DEVICE = 5;

interface Device {
  readonly entries: Series;
  count: number;
}

export const arp = defineCollector({
  name: 'arp',
  help: 'Entries of the ARP table by device.',
  defaultEnabled: true,
  options: {
    deviceInclude: pattern('Devices to expose; takes the place of deviceExclude.', ''),
    deviceExclude: pattern('Devices to leave out.', ''),
  },
  open({ files, metrics, options }) {
    const wanted = newNameFilter(options.deviceInclude, options.deviceExclude);
    const entries = metrics.gauge({
      name: 'node_arp_entries',
      help: 'Entries of the ARP table.',
      labels: ['device'],
    });
    const counted: Device[] = [];
    const devices = new RowCache<Device | null>(name =>
      wanted(name) ? { entries: entries.with(name), count: 0 } : null,
    );
    const file = files.proc('net/arp');
    return () => {
      const scanner = file.read();
      counted.length = 0;
      scanner.line();
      for (let position = 0; scanner.line(); position++) {
        scanner.skip(WORDS_BEFORE_DEVICE);
        const device = scanner.word() ? devices.at(position, scanner) : null;
        if (device === null) continue;
        if (device.count++ === 0) counted.push(device);
      }
      devices.sweep();
      for (const device of counted) {
        device.entries.set(device.count);
        device.count = 0;
      }
    };
  },
});
