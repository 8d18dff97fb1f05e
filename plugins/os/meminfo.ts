// Memory from /proc/meminfo: a gauge for each line, so that what a newer kernel adds is there at once.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';

const KIBIBYTE = 1024;

interface Field {
  /** As a count and as bytes; a line says in each reading which of the two it is. */
  readonly count: Series;
  readonly bytes: Series;
}

/** The metric's name of a field: "Active(anon)" is Active_anon. */
export function metricName(field: string): string {
  return `node_memory_${field.replace(/\)/g, '').replace(/\(/g, '_')}`;
}

export const meminfo = defineCollector({
  name: 'meminfo',
  help: 'Memory in use, free, cached, reserved, by kind.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const file = files.proc('meminfo');
    const fields = new RowCache<Field>(name => {
      const help = `Field ${name} of /proc/meminfo.`;
      const gauge = metricName(name);
      return {
        count: metrics.gauge({ name: gauge, help }).with(),
        bytes: metrics.gauge({ name: `${gauge}_bytes`, help, unit: 'bytes' }).with(),
      };
    });
    return () => {
      const scanner = file.read();
      for (let position = 0; scanner.line(); ) {
        if (!scanner.wordBefore(':')) continue;
        const field = fields.at(position++, scanner);
        const value = scanner.number();
        if (Number.isNaN(value)) continue;
        if (scanner.word() && scanner.is('kB')) field.bytes.set(value * KIBIBYTE);
        else field.count.set(value);
      }
      fields.sweep();
    };
  },
});
