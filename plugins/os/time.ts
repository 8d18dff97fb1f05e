// The host's clock, time zone and clock sources.

import { join } from 'node:path';
import { type Collect, defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { zoneAbbreviation } from './time-zone.ts';

export const time = defineCollector({
  name: 'time',
  help: 'System time, time zone and clock sources.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const seconds = metrics
      .gauge({ name: 'node_time_seconds', help: 'System time, Unix time.', unit: 'seconds' })
      .with();
    const zoneOffset = metrics.gauge({
      name: 'node_time_zone_offset_seconds',
      help: 'How far local time is ahead of UTC.',
      unit: 'seconds',
      labels: ['time_zone'],
    });
    const sources = openClockSources(files, metrics);
    const localtime = files.bytes(join(files.roots.rootfs, 'etc/localtime'));
    let offset = Number.NaN;
    let series = zoneOffset.with('UTC');
    return at => {
      const now = clock.now();
      seconds.set(now / 1000);
      const current = -60 * new Date(now).getTimezoneOffset();
      if (current !== offset) {
        offset = current;
        series = zoneOffset.with(zoneAbbreviation(localtime, offset));
      }
      series.set(offset);
      return sources(at);
    };
  },
});

function openClockSources(files: Files, metrics: Metrics): Collect {
  const available = metrics.gauge({
    name: 'node_time_clocksource_available_info',
    help: 'Clock sources the kernel could use; always 1.',
    labels: ['device', 'clocksource'],
  });
  const current = metrics.gauge({
    name: 'node_time_clocksource_current_info',
    help: 'The clock source the kernel uses; always 1.',
    labels: ['device', 'clocksource'],
  });
  const parent = 'devices/system/clocksource';
  const devices = files
    .list(join(files.roots.sysfs, parent))
    .filter(name => /^clocksource\d+$/.test(name))
    .map((name, i) => ({
      number: String(i),
      available: files.sys(join(parent, name, 'available_clocksource')),
      current: files.sys(join(parent, name, 'current_clocksource')),
    }));
  return () => {
    // The kernel changes to another source by itself when it finds one unstable.
    for (const device of devices) {
      const list = device.available.read();
      for (list.line(); list.word(); ) available.with(device.number, list.text()).set(1);
      const one = device.current.read();
      if (one.line() && one.word()) current.with(device.number, one.text()).set(1);
    }
  };
}
