// Counts how much of what node_exporter exposes is exposed here, by families: name, type and label names.

import { type Exposed, parseExposed } from '../plugins/os/exposed.ts';
import { DASHBOARD_1860, NODE_MIXIN } from './names.ts';

/** Families of the recording that belong to node_exporter's process or to collectors off by default. */
const NOT_DEFAULT =
  /^(go_|process_|promhttp_|testmetric|node_(buddyinfo|cgroups|cpu_vulnerabilities|drbd|interrupts_|ksmd|lnstat|memory_numa|mountstats|pcidevice|processes|qdisc|slabinfo|softirqs|sysctl|wifi|xfrm|zoneinfo))/;
/** File systems and hardware that an ordinary server has not, by family. */
const SPECIAL =
  /^node_(zfs|bcachefs|bcache|btrfs|xfs|hwmon|infiniband|fibrechannel|tape|watchdog|power_supply|dmmultipath|cooling_device|thermal_zone)_/;

/** Families of default collectors that the recording leaves out, with their types and label names. */
const NOT_RECORDED: readonly string[] = [
  ...[
    'size_bytes',
    'free_bytes',
    'avail_bytes',
    'files',
    'files_free',
    'readonly',
    'device_error',
  ].map(name => `node_filesystem_${name} gauge device,fstype,mountpoint`),
  'node_filesystem_mount_info gauge device,major,minor,mountpoint',
  'node_uname_info gauge domainname,machine,nodename,release,sysname,version',
  'node_selinux_enabled gauge ',
  'node_selinux_config_mode gauge ',
  'node_selinux_current_mode gauge ',
  'node_cpu_online gauge cpu',
  'node_os_support_end_timestamp_seconds gauge ',
  ...[
    'offset_seconds',
    'frequency_adjustment_ratio',
    'maxerror_seconds',
    'estimated_error_seconds',
    'status',
    'sync_status',
    'loop_time_constant',
    'tick_seconds',
    'pps_frequency_hertz',
    'pps_jitter_seconds',
    'pps_shift_seconds',
    'pps_stability_hertz',
    'tai_offset_seconds',
  ].map(name => `node_timex_${name} gauge `),
  ...['jitter', 'calibration', 'error', 'stability_exceeded'].map(
    name => `node_timex_pps_${name}_total counter `,
  ),
];

/** A count of what is wanted and what is there. */
export interface Score {
  readonly title: string;
  readonly wanted: number;
  readonly found: number;
  /** What is not there, as node_exporter has it. */
  readonly missing: readonly string[];
}

/** The scores of an exposition of ours over the recorded tree, against the recorded exposition. */
export function scoreRecorded(ours: string, recorded: string): readonly Score[] {
  const exposed = parseExposed(ours);
  // The recording has some families without their samples, which differ from run to run.
  const mine = new Set(
    [...exposed].flatMap(([name, family]) => [
      describe(name, family),
      describe(name, { ...family, samples: {} }),
    ]),
  );
  // The fake host leaves it out for the same reason.
  mine.add('node_scrape_collector_duration_seconds gauge ');
  const theirs = [...parseExposed(recorded)]
    .filter(([name]) => !NOT_DEFAULT.test(name))
    .map(([name, family]) => describe(name, family));
  const all = [...new Set([...theirs, ...NOT_RECORDED])];
  const score = (
    title: string,
    wanted: readonly string[],
    has: (each: string) => boolean,
  ): Score => {
    const missing = wanted.filter(each => !has(each));
    return { title, wanted: wanted.length, found: wanted.length - missing.length, missing };
  };
  const hasName = (name: string): boolean =>
    exposed.has(`node_${name}`) || name === 'scrape_collector_duration_seconds';
  return [
    score('families of the default collectors', all, each => mine.has(each)),
    score(
      'those of an ordinary server',
      all.filter(each => !SPECIAL.test(each)),
      each => mine.has(each),
    ),
    score('names in the dashboard Node Exporter Full (1860)', DASHBOARD_1860, hasName),
    score('names in node-mixin', NODE_MIXIN, hasName),
  ];
}

/** "name type labels". */
function describe(name: string, { type, samples }: Exposed): string {
  const labels = new Set<string>();
  for (const key of Object.keys(samples)) {
    for (const [, label] of key.matchAll(/(\w+)="/g)) labels.add(label!);
  }
  return `${name} ${type} ${[...labels].sort().join(',')}`;
}
