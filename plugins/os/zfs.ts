// ZFS statistics, from the kstat files below /proc/spl/kstat/zfs, untyped as node_exporter has them: a
// heading, then lines of name, type and number. Each pool has files of its own.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { number } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { newPresence, requirePath } from './absence.ts';
import { DirectoryRows } from './directory-rows.ts';

/** File and the middle of its metrics' names. */
const FILES: readonly (readonly [string, string])[] = [
  ['abdstats', 'abd'],
  ['arcstats', 'arc'],
  ['dbufstats', 'dbuf'],
  ['dmu_tx', 'dmu_tx'],
  ['dnodestats', 'dnode'],
  ['fm', 'fm'],
  ['vdev_cache_stats', 'vdev_cache'],
  ['vdev_mirror_stats', 'vdev_mirror'],
  ['xuio_stats', 'xuio'],
  ['zfetchstats', 'zfetch'],
  ['zil', 'zil'],
];
const STATES = ['online', 'degraded', 'faulted', 'offline', 'removed', 'unavail', 'suspended'];

export const zfs = defineCollector({
  name: 'zfs',
  help: 'Caches, transactions, pools and datasets of ZFS.',
  defaultEnabled: true,
  options: {
    datasetsMax: number('Datasets of a pool beyond are left out.', 500, { min: 0, max: 100_000 }),
  },
  open({ files, metrics, options }) {
    const parent = join(files.roots.procfs, 'spl/kstat/zfs');
    const check = requirePath(parent, 'ZFS is not loaded');
    const tables = FILES.map(([name, subsystem]) => ({
      file: files.file(join(parent, name)),
      isPresent: newPresence(join(parent, name)),
      fields: new RowCache(field =>
        metrics
          .untyped({
            name: `node_zfs_${subsystem}_${metricPart(field)}`,
            help: `kstat ${field} of ${name}.`,
          })
          .with(),
      ),
    }));
    const pools = new DirectoryRows({
      files,
      path: parent,
      wanted: name => statSync(join(parent, name)).isDirectory(),
      make: name => new Pool(files, metrics, { path: join(parent, name), name, ...options }),
      drop: pool => pool.close(),
    });
    return time => {
      check(time);
      for (const { file, isPresent, fields } of tables) {
        if (isPresent(time)) reportKstat(file.read(), fields);
      }
      for (const pool of pools.at(time) ?? []) pool.report(time);
    };
  },
});

function metricPart(field: string): string {
  return field.replace(/[^a-zA-Z0-9_]/g, '_');
}

/** Sets the integers below the heading; other types, such as strings, are no series. */
function reportKstat(scanner: ByteScanner, fields: RowCache<Series>): void {
  let begun = false;
  for (let position = 0; scanner.line(); position++) {
    if (!scanner.word()) continue;
    if (!begun) {
      begun = scanner.is('name');
      continue;
    }
    const series = fields.at(position, scanner);
    if (scanner.word() && (scanner.is('3') || scanner.is('4'))) series.set(scanner.number());
  }
  fields.sweep();
}

class Pool {
  readonly #files: Files;
  readonly #io: PseudoFile;
  readonly #state: PseudoFile;
  readonly #states: readonly (readonly [string, Series])[];
  readonly #fields: RowCache<Series>;
  readonly #columns: Series[] = [];
  readonly #datasets: DirectoryRows<Dataset>;
  #stateText = '';

  constructor(
    files: Files,
    metrics: Metrics,
    is: { readonly path: string; readonly name: string; readonly datasetsMax: number },
  ) {
    this.#files = files;
    this.#io = files.file(join(is.path, 'io'));
    this.#state = files.file(join(is.path, 'state'));
    const state = metrics.gauge({
      name: 'node_zfs_zpool_state',
      help: 'Whether the pool is in the state (1).',
      labels: ['zpool', 'state'],
    });
    this.#states = STATES.map(name => [name, state.with(is.name, name)] as const);
    this.#fields = new RowCache(field =>
      metrics
        .untyped({
          name: `node_zfs_zpool_${metricPart(field)}`,
          help: `kstat ${field} of the pool.`,
          labels: ['zpool'],
        })
        .with(is.name),
    );
    this.#datasets = new DirectoryRows({
      files,
      path: is.path,
      wanted: name => name.startsWith('objset-'),
      make: name => new Dataset(files.file(join(is.path, name)), metrics, is.name),
      drop: dataset => files.forget(dataset.file),
      max: is.datasetsMax,
    });
  }

  report(time: number): void {
    this.#reportIo();
    for (const dataset of this.#datasets.at(time) ?? []) dataset.report();
    const state = this.#state.readIfPresent();
    if (!state?.line() || !state.word()) return;
    if (!state.is(this.#stateText)) this.#stateText = state.text();
    const current = this.#stateText.toLowerCase();
    for (const [name, series] of this.#states) series.set(name === current ? 1 : 0);
  }

  close(): void {
    this.#files.forget(this.#io);
    this.#files.forget(this.#state);
  }

  /** Names above numbers, after a line of the kstat itself. Newer versions have no such file. */
  #reportIo(): void {
    const scanner = this.#io.readIfPresent();
    this.#columns.length = 0;
    while (scanner?.line()) {
      if (!scanner.word()) continue;
      if (this.#columns.length > 0) {
        this.#columns[0]!.set(scanner.value());
        for (let i = 1; i < this.#columns.length; i++) this.#columns[i]!.set(scanner.number());
      } else if (scanner.is('nread')) {
        do this.#columns.push(this.#fields.at(this.#columns.length, scanner));
        while (scanner.word());
      }
    }
    this.#fields.sweep();
  }
}

/** A dataset. Its name is in its file, and it may be given another. */
class Dataset {
  readonly file: PseudoFile;
  readonly #metrics: Metrics;
  readonly #pool: string;
  #name = '';
  #fields = new RowCache<Series | null>(() => null);

  constructor(file: PseudoFile, metrics: Metrics, pool: string) {
    this.file = file;
    this.#metrics = metrics;
    this.#pool = pool;
  }

  report(): void {
    const scanner = this.file.readIfPresent();
    for (let position = 0; scanner?.line(); position++) {
      if (!scanner.word()) continue;
      if (scanner.is('dataset_name')) {
        scanner.skip(1);
        this.#named(scanner.rest());
        continue;
      }
      // Nothing above the name is a number of the dataset.
      if (this.#name === '' || position < 2) continue;
      const series = this.#fields.at(position, scanner);
      if (scanner.word() && scanner.is('4')) series?.set(scanner.number());
    }
    this.#fields.sweep();
  }

  #named(name: string): void {
    if (name === this.#name) return;
    this.#name = name;
    this.#fields = new RowCache<Series | null>(field =>
      this.#metrics
        .untyped({
          name: `node_zfs_zpool_dataset_${metricPart(field)}`,
          help: `kstat ${field} of the dataset.`,
          labels: ['zpool', 'dataset'],
        })
        .with(this.#pool, name),
    );
  }
}
