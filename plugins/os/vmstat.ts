// Selected counters of /proc/vmstat, untyped as node_exporter has them: some are levels, some counters,
// and the file does not say which.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';

export const vmstat = defineCollector({
  name: 'vmstat',
  help: 'Paging, faults and OOM kills.',
  defaultEnabled: true,
  options: { fields: pattern('Fields to expose.', '^(oom_kill|pgpg|pswp|pg.*fault).*') },
  open({ files, metrics, options }) {
    const file = files.proc('vmstat');
    const fields = new RowCache<Series | null>(name => {
      if (options.fields !== null && !options.fields.test(name)) return null;
      const help = `Field ${name} of /proc/vmstat.`;
      return metrics.untyped({ name: `node_vmstat_${name}`, help }).with();
    });
    return () => {
      const scanner = file.read();
      for (let position = 0; scanner.line(); position++) {
        if (scanner.word()) fields.at(position, scanner)?.set(scanner.number());
      }
      fields.sweep();
    };
  },
});
