// Traffic and errors of network devices from /proc/net/dev, which sums the detailed error counters the way
// the classic metric names want them; packets without a receiver come from sysfs.

import { defineCollector } from '../sdk/collector.ts';
import type { PseudoFile } from '../sdk/files.ts';
import type { Series } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';

/** The columns of a device's line, in order. */
const COLUMNS = [
  'receive_bytes',
  'receive_packets',
  'receive_errs',
  'receive_drop',
  'receive_fifo',
  'receive_frame',
  'receive_compressed',
  'receive_multicast',
  'transmit_bytes',
  'transmit_packets',
  'transmit_errs',
  'transmit_drop',
  'transmit_fifo',
  'transmit_colls',
  'transmit_carrier',
  'transmit_compressed',
] as const;

interface Device {
  readonly columns: readonly Series[];
  readonly noHandler: Series;
  readonly noHandlerFile: PseudoFile;
}

export const netdev = defineCollector({
  name: 'netdev',
  help: 'Bytes, packets and errors of each network device.',
  defaultEnabled: true,
  options: {
    deviceInclude: pattern('Devices to expose; takes the place of deviceExclude.', ''),
    deviceExclude: pattern('Devices to leave out.', ''),
  },
  open({ files, metrics, options }) {
    const wanted = newNameFilter(options.deviceInclude, options.deviceExclude);
    const counter = (name: string) =>
      metrics.counter({
        name: `node_network_${name}_total`,
        help: `Counter ${name} of the network device.`,
        labels: ['device'],
      });
    const families = COLUMNS.map(counter);
    const noHandler = counter('receive_nohandler');
    const file = files.proc('net/dev');
    const devices = new RowCache<Device | null>(
      name =>
        wanted(name)
          ? {
              columns: families.map(family => family.with(name)),
              noHandler: noHandler.with(name),
              noHandlerFile: files.sys(`class/net/${name}/statistics/rx_nohandler`),
            }
          : null,
      device => device && files.forget(device.noHandlerFile),
    );
    const seen: Device[] = [];
    return () => {
      const scanner = file.read();
      seen.length = 0;
      for (let position = 0; scanner.line(); ) {
        // The two heading lines have no colon.
        if (!scanner.wordBefore(':')) continue;
        const device = devices.at(position++, scanner);
        if (device === null) continue;
        for (const series of device.columns) series.set(scanner.number());
        seen.push(device);
      }
      devices.sweep();
      for (const device of seen) {
        const count = device.noHandlerFile.readNumber();
        if (!Number.isNaN(count)) device.noHandler.set(count);
      }
    };
  },
});
