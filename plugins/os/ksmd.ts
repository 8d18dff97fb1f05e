// Same-page merging, from /sys/kernel/mm/ksm.

import { join } from 'node:path';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { NumberFiles } from './number-files.ts';

/** File, metric, factor, help. */
const FILES: readonly (readonly [string, string, number, string])[] = [
  ['full_scans', 'full_scans_total', 1, 'Times all mergeable memory was scanned.'],
  ['general_profit', 'general_profit_bytes', 1, 'Bytes that merging saves, less its own.'],
  ['merge_across_nodes', 'merge_across_nodes', 1, 'Whether pages of different nodes merge.'],
  ['pages_shared', 'pages_shared', 1, 'Pages that are shared.'],
  ['pages_sharing', 'pages_sharing', 1, 'Places that share them: what is saved.'],
  ['pages_to_scan', 'pages_to_scan', 1, 'Pages to scan before a pause.'],
  ['pages_unshared', 'pages_unshared', 1, 'Pages that are like no other so far.'],
  ['pages_volatile', 'pages_volatile', 1, 'Pages that change too fast to be merged.'],
  ['run', 'run', 1, 'Whether merging runs (1).'],
  ['sleep_millisecs', 'sleep_seconds', 0.001, 'How long a pause is.'],
];

export const ksmd = defineCollector({
  name: 'ksmd',
  help: 'Same-page merging.',
  defaultEnabled: true,
  intervalMs: 15_000,
  open({ files, metrics }) {
    const numbers = new NumberFiles(files);
    const directory = join(files.roots.sysfs, 'kernel/mm/ksm');
    for (const [file, name, factor, help] of FILES) {
      const description = { name: `node_ksmd_${name}`, help };
      const isCounter = name.endsWith('_total');
      const family = isCounter ? metrics.counter(description) : metrics.gauge(description);
      numbers.add(join(directory, file), family.with(), factor);
    }
    return time => {
      if (numbers.report(time) === 0)
        throw new NoDataError(`no same-page merging: no ${directory}`);
    };
  },
});
