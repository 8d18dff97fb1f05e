// The host's name and kernel. Node has no uname(2) with all its fields, so they come from
// /proc/sys/kernel, where the kernel shows the same.

import { machine } from 'node:os';
import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';

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
    const field = (name: string) => files.file(join(files.roots.procfs, 'sys/kernel', name));
    const fields = ['ostype', 'osrelease', 'version', 'hostname', 'domainname'].map(field);
    const architecture = machine();
    return () => {
      const [system, release, version, host, domain] = fields.map(file => {
        const scanner = file.readIfPresent();
        return scanner?.line() ? scanner.rest() : '';
      });
      info.with(system!, release!, version!, architecture, host!, domain!).set(1);
    };
  },
});
