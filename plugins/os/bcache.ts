// Caches of block devices on faster ones, from /sys/fs/bcache/<uuid>.

import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { flag } from '../sdk/options.ts';
import { parseBcacheSize } from './human-size.ts';

const NANOSECOND = 1e-9;

/** File below the cache set, metric, help. */
const SET: readonly (readonly [string, string, string])[] = [
  ['average_key_size', 'average_key_size_sectors', 'Data for each key of the tree, in sectors.'],
  ['btree_cache_size', 'btree_cache_size_bytes', 'Memory of the tree cache.'],
  ['cache_available_percent', 'cache_available_percent', 'Share of the cache without dirty data.'],
  ['congested', 'congested', 'How congested the cache is.'],
  ['root_usage_percent', 'root_usage_percent', 'Share of the root node in use.'],
  ['tree_depth', 'tree_depth', 'Depth of the tree.'],
  ['internal/active_journal_entries', 'active_journal_entries', 'Journal entries not indexed yet.'],
  ['internal/btree_nodes', 'btree_nodes', 'Nodes of the tree.'],
  [
    'internal/btree_read_average_duration_us',
    'btree_read_average_duration_seconds',
    'How long reading a node takes on average.',
  ],
  ['internal/cache_read_races', 'cache_read_races_total', 'Reads that raced with writes.'],
];
/** File below the backing device's stats_total, metric, help. */
const BACKING: readonly (readonly [string, string, string])[] = [
  ['bypassed', 'bypassed_bytes_total', 'Bytes that went past the cache.'],
  ['cache_hits', 'cache_hits_total', 'Requests the cache served.'],
  ['cache_misses', 'cache_misses_total', 'Requests the cache could not serve.'],
  ['cache_bypass_hits', 'cache_bypass_hits_total', 'Hits of requests meant to go past the cache.'],
  ['cache_bypass_misses', 'cache_bypass_misses_total', 'Misses of requests meant to go past it.'],
  ['cache_miss_collisions', 'cache_miss_collisions_total', 'Insertions that raced with writes.'],
  ['cache_readaheads', 'cache_readaheads_total', 'Times data was read ahead.'],
];
/** Line of writeback_rate_debug, metric, help. */
const WRITEBACK: readonly (readonly [string, string, string])[] = [
  ['target', 'dirty_target_bytes', 'Dirty data the device should have.'],
  ['rate', 'writeback_rate', 'Rate of writeback, in sectors a second.'],
  ['proportional', 'writeback_rate_proportional_term', 'Proportional term of the rate.'],
  ['integral', 'writeback_rate_integral_term', 'Integral term of the rate.'],
  ['change', 'writeback_change', 'Change of the rate.'],
];
/** File below the cache device, metric, help. */
const CACHE: readonly (readonly [string, string, string])[] = [
  ['io_errors', 'io_errors', 'Errors that decay over time.'],
  ['metadata_written', 'metadata_written_bytes_total', 'Metadata written.'],
  ['written', 'written_bytes_total', 'Bytes written.'],
];

export const bcache = defineCollector({
  name: 'bcache',
  help: 'Hits, misses, writeback and errors of bcache.',
  defaultEnabled: true,
  intervalMs: 10_000,
  options: {
    priorityStats: flag('Expose shares of priority_stats, which is expensive to read.', false),
  },
  open({ files, metrics, options }) {
    const parent = join(files.roots.sysfs, 'fs/bcache');
    return () => {
      for (const uuid of files.list(parent)) {
        if (uuid.includes('-')) report({ files, metrics, uuid, directory: join(parent, uuid) });
        else continue;
        if (options.priorityStats) reportPriorities(files, metrics, join(parent, uuid), uuid);
      }
    };
  },
});

interface CacheSet {
  readonly files: Files;
  readonly metrics: Metrics;
  readonly uuid: string;
  readonly directory: string;
}

function report({ files, metrics, uuid, directory }: CacheSet): void {
  const number = (path: string) => parseBcacheSize(files.text(join(directory, path)) ?? '0');
  for (const [file, name, help] of SET) {
    const factor = file.endsWith('_us') ? NANOSECOND : 1;
    set(metrics, { name, help, labels: { uuid } }, number(file) * factor);
  }
  for (const entry of files.list(directory)) {
    if (/^bdev\d/.test(entry)) {
      const labels = { uuid, backing_device: entry };
      const dirty = number(join(entry, 'dirty_data'));
      set(metrics, { name: 'dirty_data_bytes', help: 'Dirty data.', labels }, dirty);
      for (const [file, name, help] of BACKING) {
        const value = number(join(entry, 'stats_total', file));
        // Newer kernels have no readaheads any more.
        if (file !== 'cache_readaheads' || value !== 0) set(metrics, { name, help, labels }, value);
      }
      const debug = files.text(join(directory, entry, 'writeback_rate_debug')) ?? '';
      for (const [line, name, help] of WRITEBACK) {
        set(metrics, { name, help, labels }, writebackValue(debug, line));
      }
    } else if (/^cache\d/.test(entry)) {
      const labels = { uuid, cache_device: entry };
      for (const [file, name, help] of CACHE) {
        set(metrics, { name, help, labels }, number(join(entry, file)));
      }
    }
  }
}

function reportPriorities(files: Files, metrics: Metrics, directory: string, uuid: string): void {
  for (const entry of files.list(directory).filter(name => /^cache\d/.test(name))) {
    const text = files.text(join(directory, entry, 'priority_stats')) ?? '';
    for (const [line, word] of [
      ['Unused', 'unused'],
      ['Metadata', 'metadata'],
    ]) {
      const value = Number(new RegExp(`^${line}:\\s+(\\d+)%`, 'm').exec(text)?.[1] ?? 0);
      const name = `priority_stats_${word}_percent`;
      const help = `Share of the cache that is ${word}.`;
      set(metrics, { name, help, labels: { uuid, cache_device: entry } }, value);
    }
  }
}

/** The last word of a line such as "rate: 1.1M/sec". */
function writebackValue(text: string, line: string): number {
  const written = new RegExp(`^${line}:\\s+(\\S+?)(?:/sec)?$`, 'm').exec(text)?.[1];
  return written === undefined ? 0 : parseBcacheSize(written);
}

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
}

function set(metrics: Metrics, { name, help, labels }: Described, value: number): void {
  const description = { name: `node_bcache_${name}`, help, labels: Object.keys(labels) };
  const family = name.endsWith('_total')
    ? metrics.counter<readonly string[]>(description)
    : metrics.gauge<readonly string[]>(description);
  family.with(...Object.values(labels)).set(value);
}
