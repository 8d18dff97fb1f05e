// The collectors of a Linux host. A new one is a file beside this one and a line in this list.

import { definePlugin } from '../sdk/runtime.ts';
import { arp } from './arp.ts';
import { bcache } from './bcache.ts';
import { bcachefs } from './bcachefs.ts';
import { bonding } from './bonding.ts';
import { btrfs } from './btrfs.ts';
import { buddyinfo } from './buddyinfo.ts';
import { cgroups } from './cgroups.ts';
import { conntrack } from './conntrack.ts';
import { cpu } from './cpu.ts';
import { cpuVulnerabilities } from './cpu-vulnerabilities.ts';
import { diskstats } from './diskstats.ts';
import { entropy } from './entropy.ts';
import { newExporterBuild } from './exporter-build.ts';
import { filefd } from './filefd.ts';
import { filesystem } from './filesystem.ts';
import { interrupts } from './interrupts.ts';
import { ipvs } from './ipvs.ts';
import { kernelHung } from './kernel-hung.ts';
import { ksmd } from './ksmd.ts';
import { lnstat } from './lnstat.ts';
import { loadavg } from './loadavg.ts';
import { meminfo } from './meminfo.ts';
import { meminfoNuma } from './meminfo-numa.ts';
import { netclass } from './netclass.ts';
import { netdev } from './netdev.ts';
import { netstat } from './netstat.ts';
import { nfs } from './nfs.ts';
import { nfsd } from './nfsd.ts';
import { osRelease } from './os-release.ts';
import { pressure } from './pressure.ts';
import { processes } from './processes.ts';
import { schedstat } from './schedstat.ts';
import { selinux } from './selinux.ts';
import { slabinfo } from './slabinfo.ts';
import { sockstat } from './sockstat.ts';
import { softirqs } from './softirqs.ts';
import { softnet } from './softnet.ts';
import { stat } from './stat.ts';
import { swap } from './swap.ts';
import { sysctl } from './sysctl.ts';
import { systemd } from './systemd.ts';
import { tcpstat } from './tcpstat.ts';
import { textfile } from './textfile.ts';
import { time } from './time.ts';
import { timex } from './timex.ts';
import { udpQueues } from './udp-queues.ts';
import { uname } from './uname.ts';
import { vmstat } from './vmstat.ts';
import { xfrm } from './xfrm.ts';
import { xfs } from './xfs.ts';
import { zfs } from './zfs.ts';
import { zoneinfo } from './zoneinfo.ts';

const VERSION = '0.1.0';

export const osPlugin = definePlugin({
  name: 'os',
  version: VERSION,
  collectors: [
    arp,
    bcache,
    bcachefs,
    bonding,
    btrfs,
    buddyinfo,
    cgroups,
    conntrack,
    cpu,
    cpuVulnerabilities,
    diskstats,
    entropy,
    filefd,
    filesystem,
    interrupts,
    ipvs,
    kernelHung,
    ksmd,
    lnstat,
    loadavg,
    meminfo,
    meminfoNuma,
    netclass,
    netdev,
    netstat,
    newExporterBuild(VERSION),
    nfs,
    nfsd,
    osRelease,
    pressure,
    processes,
    schedstat,
    selinux,
    slabinfo,
    sockstat,
    softirqs,
    softnet,
    stat,
    swap,
    sysctl,
    systemd,
    tcpstat,
    textfile,
    time,
    timex,
    udpQueues,
    uname,
    vmstat,
    xfrm,
    xfs,
    zfs,
    zoneinfo,
  ],
});
