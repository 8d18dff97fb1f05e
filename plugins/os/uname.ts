// The host's name and kernel. Node has no uname(2) with all its fields, so they come from
// /proc/sys/kernel, where the kernel shows the same.

import { machine } from 'node:os';
import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';

/** A host gets a new name, if ever, by hand. */
const REREAD_MS = 60_000;

export const uname = defineCollector({
  name: 'uname',
  help: 'Host name and kernel version.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const info = metrics.gauge({
      name: 'node_uname_info',
      help: 'What uname(2) says of the host; always 1.',
      labels: ['sysname', 'release', 'version', 'machine', 'nodename', 'domainname'],
    });
    const fields = ['ostype', 'osrelease', 'version', 'hostname', 'domainname'].map(name =>
      join(files.roots.procfs, 'sys/kernel', name),
    );
    const architecture = machine();
    let series: Series | null = null;
    let readAt = -Infinity;
    return time => {
      if (series === null || Math.abs(time - readAt) >= REREAD_MS) {
        const [system, release, version, host, domain] = fields.map(path => files.text(path) ?? '');
        series = info.with(system!, release!, version!, architecture, host!, domain!);
        readAt = time;
      }
      series.set(1);
    };
  },
});
