// The collectors of a Linux host. A new one is a file beside this one and a line in this list.

import { definePlugin } from '../sdk/runtime.ts';
import { cpu } from './cpu.ts';
import { diskstats } from './diskstats.ts';
import { filefd } from './filefd.ts';
import { filesystem } from './filesystem.ts';
import { loadavg } from './loadavg.ts';
import { meminfo } from './meminfo.ts';
import { netdev } from './netdev.ts';
import { pressure } from './pressure.ts';
import { sockstat } from './sockstat.ts';
import { stat } from './stat.ts';
import { time } from './time.ts';
import { uname } from './uname.ts';
import { vmstat } from './vmstat.ts';

export const osPlugin = definePlugin({
  name: 'os',
  version: '0.1.0',
  collectors: [
    cpu,
    diskstats,
    filefd,
    filesystem,
    loadavg,
    meminfo,
    netdev,
    pressure,
    sockstat,
    stat,
    time,
    uname,
    vmstat,
  ],
});
