// Between the interface's ConfigureRequest and a configuration as the SDK holds it, in both directions.

import type { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import type {
  CollectorConfig,
  ConfigProblem,
  InstanceConfig,
  PluginConfig,
} from './configuration.ts';
import { SYSTEM_ROOTS } from './files.ts';

type Request = outpost.plugin.v1.ConfigureRequest.$Properties;
type Entry = outpost.plugin.v1.CollectorConfig.$Properties;

/** Reads a request; where options are no JSON object, says which. */
export function readConfiguration(
  request: Request,
): { readonly config: PluginConfig } | { readonly problems: readonly ConfigProblem[] } {
  const collectors: Record<string, CollectorConfig> = {};
  const problems: ConfigProblem[] = [];
  for (const entry of request.collectors ?? []) {
    const name = entry.name ?? '';
    const instance = entry.instance ?? '';
    const path = instance === '' ? name : `${name}.instances.${instance}`;
    const config = readEntry(entry);
    if (config === null) {
      problems.push({ path: `collectors.${path}.options`, message: 'is not a JSON object' });
    } else if (instance === '') collectors[name] = { ...collectors[name], ...config };
    else {
      const instances = { ...collectors[name]?.instances, [instance]: config };
      collectors[name] = { ...collectors[name], instances };
    }
  }
  if (problems.length > 0) return { problems };
  const { procfs, sysfs, rootfs, udev } = request.roots ?? {};
  const roots = {
    procfs: procfs || SYSTEM_ROOTS.procfs,
    sysfs: sysfs || SYSTEM_ROOTS.sysfs,
    rootfs: rootfs || SYSTEM_ROOTS.rootfs,
    udev: udev || SYSTEM_ROOTS.udev,
  };
  const intervalMs = request.intervalMs ?? 0;
  return { config: { roots, collectors, ...(intervalMs > 0 && { intervalMs }) } };
}

/** The entries of a request that say what `collectors` says. */
export function writeCollectors(
  collectors: Readonly<Record<string, CollectorConfig>>,
): outpost.plugin.v1.CollectorConfig.$Properties[] {
  return Object.entries(collectors).flatMap(([name, { instances = {}, ...own }]) => {
    const named = Object.entries(instances);
    const hasOwn = named.length === 0 || Object.keys(own).length > 0;
    return [
      ...(hasOwn ? [writeEntry(name, '', own)] : []),
      ...named.map(([instance, config]) => writeEntry(name, instance, config)),
    ];
  });
}

function readEntry({ enabled, options, intervalMs, labels }: Entry): InstanceConfig | null {
  const written = parseJsonObject(options ?? '');
  if (written === null) return null;
  return {
    options: written,
    ...(enabled != null && { enabled }),
    ...(intervalMs && { intervalMs }),
    ...(labels?.length && {
      labels: Object.fromEntries(labels.map(({ name, value }) => [name ?? '', value ?? ''])),
    }),
  };
}

function writeEntry(name: string, instance: string, config: InstanceConfig): Entry {
  const { enabled, options, intervalMs, labels = {} } = config;
  return {
    name,
    instance,
    options: options ? JSON.stringify(options) : '',
    ...(enabled !== undefined && { enabled }),
    ...(intervalMs !== undefined && { intervalMs }),
    labels: Object.entries(labels).map(([label, value]) => ({ name: label, value })),
  };
}

/** The object a JSON text stands for, empty for an empty text; null where it stands for none. */
export function parseJsonObject(text: string): Record<string, unknown> | null {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : null;
  } catch {
    return null;
  }
}
