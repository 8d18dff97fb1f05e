// Memory zones: free pages and the marks at which the kernel begins to reclaim, from /proc/zoneinfo.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector } from '../sdk/collector.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';

/** Fields of the file whose metrics have another name. */
const RENAMED: Readonly<Record<string, string>> = {
  nr_free_pages: 'nr_free_pages',
  nr_anon_pages: 'nr_anon_pages',
  nr_file_pages: 'nr_file_pages',
  nr_anon_transparent_hugepages: 'nr_anon_transparent_hugepages',
  nr_kernel_stack: 'nr_kernel_stacks',
};
const PAGES =
  'min low high scanned spanned present managed nr_active_anon nr_inactive_anon nr_isolated_anon ' +
  'nr_active_file nr_inactive_file nr_isolated_file nr_slab_reclaimable nr_slab_unreclaimable ' +
  'nr_mlock_stack nr_mapped nr_dirty nr_writeback nr_unevictable nr_shmem';
const COUNTERS =
  'nr_dirtied nr_written numa_hit numa_miss numa_foreign numa_interleave numa_local numa_other';

const METRICS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(RENAMED),
  ...PAGES.split(' ').map(field => [field, `${field}_pages`] as const),
  ...COUNTERS.split(' ').map(field => [field, `${field}_total`] as const),
]);

interface Zone {
  readonly fields: RowCache<Series | null>;
  readonly protection: Series[] | null;
  readonly newProtection: (index: number) => Series;
}

export const zoneinfo = defineCollector({
  name: 'zoneinfo',
  help: 'Free pages and reclaim marks of memory zones.',
  defaultEnabled: true,
  intervalMs: 15_000,
  options: {
    fields: pattern(
      'Metrics to expose, without the prefix node_zoneinfo_.',
      '^((min|low|high|present|managed|spanned)_pages|nr_free_pages)$',
    ),
  },
  open({ files, metrics, options }) {
    const isWanted = (name: string): boolean => options.fields?.test(name) ?? true;
    const nodes = new RowCache(
      node => new RowCache<Zone>(zone => newZone(metrics, isWanted, [node, zone])),
    );
    const file = files.proc('zoneinfo');
    return () => {
      const scanner = file.read();
      let zone: Zone | null = null;
      for (let position = 0; scanner.line(); position++) {
        if (!scanner.word()) continue;
        if (scanner.is('Node')) {
          zone = findZone(scanner, nodes, position);
        } else if (zone !== null && scanner.is('protection:')) {
          reportProtection(scanner.rest(), zone);
        } else zone?.fields.at(position, scanner)?.set(scanner.number());
      }
    };
  },
});

function newZone(
  metrics: Metrics,
  isWanted: (name: string) => boolean,
  values: readonly [node: string, zone: string],
): Zone {
  const labels = ['node', 'zone'] as const;
  const gauge = (name: string, help: string): Series =>
    metrics.gauge({ name: `node_zoneinfo_${name}`, help, labels }).with(...values);
  return {
    fields: new RowCache(field => {
      const name = METRICS.get(field);
      if (name === undefined || !isWanted(name)) return null;
      const help = `Field ${field} of the zone.`;
      if (!name.endsWith('_total')) return gauge(name, help);
      return metrics.counter({ name: `node_zoneinfo_${name}`, help, labels }).with(...values);
    }),
    protection: isWanted('protection_0') ? [] : null,
    newProtection: index => gauge(`protection_${index}`, `Field ${index} of the protection array.`),
  };
}

/** The zone of a line such as "Node 0, zone   Normal", which stands in this row of the file. */
function findZone(
  scanner: ByteScanner,
  nodes: RowCache<RowCache<Zone>>,
  position: number,
): Zone | null {
  if (!scanner.wordBefore(',')) return null;
  const zones = nodes.at(position, scanner);
  scanner.skip(1);
  return scanner.word() ? zones.at(position, scanner) : null;
}

/** Numbers such as "(0, 2039, 31932)". */
function reportProtection(text: string, zone: Zone): void {
  if (zone.protection === null) return;
  for (const [i, value] of text.replace(/[()]/g, '').split(',').entries()) {
    zone.protection[i] ??= zone.newProtection(i);
    zone.protection[i].set(Number(value));
  }
}
