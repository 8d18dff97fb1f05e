// Targets that files name. Directories are watched, and read again at intervals, because watching misses what
// happens on some file systems. A file with a mistake keeps its targets until it is mended or gone.

import { readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sleep } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { FileDiscovery } from './config.ts';
import type { Discoverer, TargetGroup } from './discoverer.ts';
import { parseGroups } from './group-text.ts';
import type { DiscoveryContext } from './new-discoverer.ts';
import { GroupChanges } from './polling.ts';

const NAME = 'file';
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Writers need a moment to be done with a file. */
const SETTLE_MS = 200;

/** Files by pattern. */
export function fileDiscoverer(config: FileDiscovery, context: DiscoveryContext): Discoverer {
  return {
    name: NAME,
    run: async (signal, publish) => {
      const known = new Map<string, readonly TargetGroup[]>();
      const failing = new Set<string>();
      const changes = new GroupChanges(publish);
      let wake = new AbortController();
      const unwatch = watchDirectories(config, () => wake.abort());
      try {
        while (!signal.aborted) {
          readFiles(config, known, { failing, context });
          if (changes.replace([...known.values()].flat())) {
            context.metrics.updates.with(NAME).inc();
          }
          wake = new AbortController();
          await sleepUntil(context, config.refreshMs, [signal, wake.signal]);
          if (wake.signal.aborted) await sleepUntil(context, SETTLE_MS, [signal]);
        }
      } finally {
        unwatch();
      }
    },
  };
}

async function sleepUntil(
  { clock }: DiscoveryContext,
  ms: number,
  signals: readonly AbortSignal[],
): Promise<void> {
  await sleep(clock, ms, AbortSignal.any([...signals])).catch(() => {});
}

function readFiles(
  config: FileDiscovery,
  known: Map<string, readonly TargetGroup[]>,
  { failing, context }: { failing: Set<string>; context: DiscoveryContext },
): void {
  const paths = new Set(config.files.flatMap(matchingFiles));
  for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
  for (const path of paths) {
    try {
      known.set(path, readGroups(path));
      failing.delete(path);
    } catch (error) {
      context.metrics.failures.with(NAME).inc();
      if (failing.has(path)) continue;
      failing.add(path);
      const { message } = OutpostError.from(error);
      context.logger.warn('targets are not read', { file: path, err: message });
    }
  }
}

function readGroups(path: string): TargetGroup[] {
  const { size } = statSync(path);
  if (size > FILE_BYTES_MAX) throw new OutpostError('bad-data', `read ${path}: beyond 64 MiB`);
  return parseGroups(readFileSync(path, 'utf8'), {
    format: path.endsWith('.json') ? 'json' : 'yaml',
    source: path,
    labels: { __meta_filepath: path },
  });
}

/** The files that a pattern names now, sorted. */
function matchingFiles(pattern: string): string[] {
  const name = basename(pattern);
  if (!/[*?]/.test(name)) return statSync(pattern, { throwIfNoEntry: false }) ? [pattern] : [];
  const escaped = name.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const expression = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
  const directory = dirname(pattern);
  try {
    const names = readdirSync(directory).filter(one => expression.test(one));
    return names.sort().map(one => join(directory, one));
  } catch {
    return []; // a directory that is not there yet has no files
  }
}

/** Watches what can be watched; a directory that comes later is found at the next refresh. */
function watchDirectories(config: FileDiscovery, onChange: () => void): () => void {
  const watchers = [...new Set(config.files.map(dirname))].flatMap(directory => {
    try {
      const watcher = watch(directory, { persistent: false }, onChange);
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      return [];
    }
  });
  return () => {
    for (const watcher of watchers) watcher.close();
  };
}
