// What an operator sets, held against what a plugin has: which collectors run, under which names, how
// often, or what is wrong. Pure: nothing is opened here.

import type { Collector, PreparedCollector } from './collector.ts';
import type { Roots } from './files.ts';

/** What an operator sets for one instance of a collector. */
export interface InstanceConfig {
  readonly enabled?: boolean;
  /** Options as written; checked against the collector's declaration. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Reads no more often than this; the collector's own interval where absent or 0. */
  readonly intervalMs?: number;
  /** Added to each of its series. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What an operator sets for one collector. */
export interface CollectorConfig extends InstanceConfig {
  /** Named instances, for a collector that may have several; the nameless one is off unless enabled. */
  readonly instances?: Readonly<Record<string, InstanceConfig>>;
}

/** A configuration of the whole plugin. */
export interface PluginConfig {
  readonly roots: Roots;
  /** By collector name; a collector that is not mentioned has its defaults. */
  readonly collectors: Readonly<Record<string, CollectorConfig>>;
  /** Time between two collections; how long one may take is not known where it is absent. */
  readonly intervalMs?: number;
}

/** A mistake in a configuration. */
export interface ConfigProblem {
  /** As in 'collectors.cpu.options.guest'. */
  readonly path: string;
  readonly message: string;
}

/** One collector that is to run. */
export interface PlannedCollector {
  readonly collector: Collector;
  readonly instance: string;
  /** "cpu", or "smart/sda" for an instance with a name. Unique in the plugin. */
  readonly key: string;
  readonly prepared: PreparedCollector;
  readonly intervalMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The same for two plans that ask for the same. */
  readonly fingerprint: string;
}

/** A configuration read: what is to run, or what is wrong. */
export type Plan =
  | { readonly planned: readonly PlannedCollector[] }
  | { readonly problems: readonly ConfigProblem[] };

/** Holds a configuration against the collectors of a plugin. */
export function planConfiguration(
  plugin: { readonly name: string; readonly collectors: readonly Collector[] },
  config: PluginConfig,
): Plan {
  const problems: ConfigProblem[] = [];
  const planned: PlannedCollector[] = [];
  const names = plugin.collectors.map(collector => collector.name);
  for (const name of Object.keys(config.collectors).filter(each => !names.includes(each))) {
    const message = `is not a collector of plugin ${plugin.name}; it has: ${names.join(', ')}`;
    problems.push({ path: `collectors.${name}`, message });
  }
  for (const collector of plugin.collectors) {
    const written = config.collectors[collector.name] ?? {};
    for (const wanted of instancesOf(collector, written)) {
      const outcome = planOne(collector, wanted);
      if ('problems' in outcome) problems.push(...outcome.problems);
      else if (wanted.enabled) planned.push(outcome);
    }
    if (written.instances && !collector.instances) {
      const message = 'may not be set: this collector is there once';
      problems.push({ path: `collectors.${collector.name}.instances`, message });
    }
  }
  return problems.length > 0 ? { problems } : { planned };
}

interface Wanted {
  readonly instance: string;
  readonly enabled: boolean;
  readonly path: string;
  readonly config: InstanceConfig;
}

function instancesOf(collector: Collector, written: CollectorConfig): Wanted[] {
  const path = `collectors.${collector.name}`;
  const named = Object.entries(written.instances ?? {}).map(([instance, config]) => ({
    instance,
    enabled: config.enabled ?? true,
    path: `${path}.instances.${instance}`,
    config,
  }));
  const fallback = named.length === 0 && collector.defaultEnabled;
  const own = { instance: '', enabled: written.enabled ?? fallback, path, config: written };
  return [own, ...named];
}

function planOne(
  collector: Collector,
  { instance, path, config }: Wanted,
): PlannedCollector | { readonly problems: readonly ConfigProblem[] } {
  const { options = {}, labels = {} } = config;
  const outcome = collector.prepare(options);
  if ('problems' in outcome) {
    return {
      problems: outcome.problems.map(({ option, message }) => ({
        path: option === '' ? `${path}.options` : `${path}.options.${option}`,
        message,
      })),
    };
  }
  const intervalMs = config.intervalMs || collector.intervalMs;
  return {
    collector,
    instance,
    key: instance === '' ? collector.name : `${collector.name}/${instance}`,
    prepared: outcome,
    intervalMs,
    labels,
    fingerprint: JSON.stringify([options, intervalMs, labels]),
  };
}
