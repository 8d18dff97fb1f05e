// I/O of SCSI tape drives (/sys/class/scsi_tape/st*/stats; Documentation/scsi/st.rst of the kernel).

import { defineCollector } from '../sdk/collector.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { pattern } from '../sdk/options.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/scsi_tape';
const NANOSECOND = 0.000000001;

/** File, metric, factor to base units, help. */
const COUNTERS: readonly (readonly [string, string, number, string])[] = [
  ['io_ns', 'io_time_seconds_total', NANOSECOND, 'Time spent waiting for I/O of all kinds.'],
  ['other_cnt', 'io_others_total', 1, 'Requests that were neither reads nor writes.'],
  ['read_byte_cnt', 'read_bytes_total', 1, 'Bytes read from the tape.'],
  ['read_cnt', 'reads_completed_total', 1, 'Reads that completed.'],
  ['read_ns', 'read_time_seconds_total', NANOSECOND, 'Time spent waiting for reads.'],
  ['resid_cnt', 'residual_total', 1, 'Reads and writes that moved less than was asked for.'],
  ['write_byte_cnt', 'written_bytes_total', 1, 'Bytes written to the tape.'],
  ['write_cnt', 'writes_completed_total', 1, 'Writes that completed.'],
  ['write_ns', 'write_time_seconds_total', NANOSECOND, 'Time spent waiting for writes.'],
];

export const tapestats = defineCollector({
  name: 'tapestats',
  help: 'Reads, writes and time of SCSI tape drives.',
  defaultEnabled: true,
  options: { ignoredDevices: pattern('Drives to leave out.', '^$') },
  open({ files, metrics, options, clock }) {
    const wanted = newNameFilter(null, options.ignoredDevices);
    const inFlight = metrics.gauge({
      name: 'node_tape_io_now',
      help: 'Requests in flight.',
      labels: ['device'],
    });
    const counters = COUNTERS.map(([file, name, times, help]) => ({
      file,
      times,
      family: metrics.counter({ name: `node_tape_${name}`, help, labels: ['device'] }),
    }));
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const device of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          if (!/^st\d+$/.test(device) || !wanted(device)) continue;
          const stats = `${DIRECTORY}/${device}/stats`;
          findings.number(`${stats}/in_flight`, inFlight.with(device));
          for (const { file, times, family } of counters) {
            findings.number(`${stats}/${file}`, family.with(device), { times });
          }
        }
      },
    });
  },
});
