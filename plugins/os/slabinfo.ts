// Caches of kernel objects, from /proc/slabinfo, which root alone may read.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { number, pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';

/** Metrics of the columns after the name, in order. */
const COLUMNS: readonly (readonly [string, string])[] = [
  ['active_objects', 'Objects in use.'],
  ['objects', 'Objects there is room for.'],
  ['object_size_bytes', 'Size of an object.'],
  ['objects_per_slab', 'Objects in a slab.'],
  ['pages_per_slab', 'Pages of a slab.'],
];

export const slabinfo = defineCollector({
  name: 'slabinfo',
  help: 'Caches of kernel objects.',
  defaultEnabled: false,
  intervalMs: 15_000,
  options: {
    slabsInclude: pattern('Caches to expose; takes the place of slabsExclude.', ''),
    slabsExclude: pattern('Caches to leave out.', ''),
    slabsMax: number('Caches beyond are left out.', 500, { min: 0, max: 100_000 }),
  },
  open({ files, metrics, options }) {
    const wanted = newNameFilter(options.slabsInclude, options.slabsExclude);
    const families = COLUMNS.map(([name, help]) =>
      metrics.gauge({ name: `node_slabinfo_${name}`, help, labels: ['slab'] }),
    );
    const file = files.proc('slabinfo');
    const slabs = new RowCache<readonly Series[] | null>(slab =>
      wanted(slab) ? families.map(family => family.with(slab)) : null,
    );
    return () => {
      const scanner = file.read();
      // The version, then the names of the columns.
      for (let i = 0; i < 2; i++) scanner.line();
      let count = 0;
      for (let position = 0; scanner.line(); position++) {
        if (!scanner.word()) continue;
        const columns = slabs.at(position, scanner);
        if (columns === null || count >= options.slabsMax) continue;
        count++;
        for (const series of columns) series.set(scanner.number());
      }
      slabs.sweep();
    };
  },
});
