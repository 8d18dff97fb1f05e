// Bcachefs file systems, from /sys/fs/bcachefs/<uuid>. Many of its numbers are written for people and are
// therefore rounded.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { parseHumanSize } from './human-size.ts';

export const bcachefs = defineCollector({
  name: 'bcachefs',
  help: 'Devices, compression, errors and counters of bcachefs file systems.',
  defaultEnabled: true,
  intervalMs: 10_000,
  open({ files, metrics }) {
    const parent = join(files.roots.sysfs, 'fs/bcachefs');
    const absent = new NoDataError(`no bcachefs file system below ${parent}`);
    return () => {
      const names = files.list(parent).filter(name => statSync(join(parent, name)).isDirectory());
      if (names.length === 0) throw absent;
      for (const uuid of names) {
        const sheet = new Sheet(files, metrics, join(parent, uuid), uuid);
        reportFileSystem(sheet);
        for (const entry of files.list(sheet.directory)) {
          if (entry.startsWith('dev-')) reportDevice(sheet, entry);
        }
      }
    };
  },
});

/** One file system's directory and how its numbers are exposed. */
class Sheet {
  readonly directory: string;
  readonly #files: Files;
  readonly #metrics: Metrics;
  readonly #uuid: string;

  constructor(files: Files, metrics: Metrics, directory: string, uuid: string) {
    this.#files = files;
    this.#metrics = metrics;
    this.directory = directory;
    this.#uuid = uuid;
  }

  text(...path: string[]): string {
    return this.#files.text(join(this.directory, ...path)) ?? '';
  }

  list(path: string): string[] {
    return this.#files.list(join(this.directory, path));
  }

  /** Lines of words. */
  table(...path: string[]): string[][] {
    return this.text(...path)
      .split('\n')
      .map(line => line.trim().split(/\s+/));
  }

  set(
    name: string,
    help: string,
    { labels = {}, value }: { labels?: Record<string, string>; value: number },
  ): void {
    if (Number.isNaN(value)) return;
    const names = ['uuid', ...Object.keys(labels)];
    const description = { name: `node_bcachefs_${name}`, help, labels: names };
    const family = name.endsWith('_total')
      ? this.#metrics.counter<readonly string[]>(description)
      : this.#metrics.gauge<readonly string[]>(description);
    family.with(this.#uuid, ...Object.values(labels)).set(value);
  }
}

function reportFileSystem(sheet: Sheet): void {
  sheet.set('info', 'A bcachefs file system; always 1.', { value: 1 });
  const cache = parseHumanSize(sheet.text('btree_cache_size'));
  sheet.set('btree_cache_size_bytes', 'Memory of the tree cache.', { value: cache });
  for (const [algorithm, compressed, uncompressed] of sheet.table('compression_stats').slice(1)) {
    if (uncompressed === undefined) continue;
    const labels = { algorithm: algorithm!.replace(/:$/, '') };
    sheet.set('compression_compressed_bytes', 'Size after compression.', {
      labels,
      value: parseHumanSize(compressed!),
    });
    sheet.set('compression_uncompressed_bytes', 'Size before compression.', {
      labels,
      value: parseHumanSize(uncompressed),
    });
  }
  for (const [type, count] of sheet.table('errors')) {
    if (count === undefined) continue;
    sheet.set('errors_total', 'Errors by type.', {
      labels: { error_type: type! },
      value: Number(count),
    });
  }
  for (const [type, count, size] of sheet.table('btree_write_stats').slice(1)) {
    if (size === undefined) continue;
    const labels = { type: type!.replace(/:$/, '') };
    sheet.set('btree_writes_total', 'Writes of tree nodes.', { labels, value: Number(count) });
    sheet.set('btree_write_average_size_bytes', 'Size of these writes on average.', {
      labels,
      value: parseHumanSize(size),
    });
  }
  for (const counter of sheet.list('counters')) {
    const written = /^since filesystem creation:(.*)$/m.exec(sheet.text('counters', counter))?.[1];
    if (written === undefined) continue;
    const name = `${counter.replace(/[^a-zA-Z0-9_]/g, '_')}_total`;
    const help = `Counter ${counter} since the file system was made.`;
    sheet.set(name, help, { value: parseHumanSize(written) });
  }
}

function reportDevice(sheet: Sheet, entry: string): void {
  const device = entry.slice('dev-'.length);
  const labels = { device };
  sheet.set('device_info', 'A device of the file system; always 1.', {
    labels: { device, label: sheet.text(entry, 'label'), state: sheet.text(entry, 'state') },
    value: 1,
  });
  sheet.set('device_bucket_size_bytes', 'Size of a bucket.', {
    labels,
    value: parseHumanSize(sheet.text(entry, 'bucket_size')),
  });
  for (const [file, name, help] of [
    ['nbuckets', 'device_buckets', 'Buckets of the device.'],
    ['durability', 'device_durability', 'How many copies one on this device counts as.'],
  ] as const) {
    sheet.set(name, help, { labels, value: Number(sheet.text(entry, file) || 0) });
  }
  let operation = '';
  for (const line of sheet.text(entry, 'io_done').split('\n')) {
    const [, type, value] = /^\s*(\S+)\s*:\s*(\d*)\s*$/.exec(line) ?? [];
    if (type === undefined) continue;
    if (value === '') operation = type;
    else {
      sheet.set('device_io_done_bytes_total', 'Bytes read and written, by what they are.', {
        labels: { device, operation, data_type: type },
        value: Number(value),
      });
    }
  }
  // A second paragraph repeats them since a time that an operator sets.
  const [, sinceCreation = ''] = sheet.text(entry, 'io_errors').split(/^IO errors since .*$/m);
  for (const line of sinceCreation.split('\n')) {
    const [, type, value] = /^\s*(\w+)\s*:\s*(\d+)\s*$/.exec(line) ?? [];
    if (type === undefined) continue;
    sheet.set('device_io_errors_total', 'Errors of the device, by what it was doing.', {
      labels: { device, type },
      value: Number(value),
    });
  }
}
