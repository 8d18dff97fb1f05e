// What the host measures about its plugins.

import { Labels } from '../../src/labels/labels.ts';
import type {
  Counter,
  Histogram,
  MetricSample,
  Registry,
  Vector,
} from '../../src/telemetry/metrics.ts';
import { PLUGIN_STATES } from './plugin-state.ts';
import type { PluginStatus } from './plugin-status.ts';
import { DROP_REASONS } from './series-intake.ts';

/** The host's metrics; made once, for names are registered once. */
export interface HostMetrics {
  readonly restarts: Vector<Counter>;
  readonly cpuSeconds: Vector<Counter>;
  readonly collectDuration: Vector<Histogram>;
  readonly samples: Vector<Counter>;
  readonly missed: Vector<Counter>;
  readonly dropped: Vector<Counter>;
  readonly logLinesDropped: Vector<Counter>;
}

/** Registers the metrics; `plugins` is read when they are gathered. */
export function newHostMetrics(
  registry: Registry,
  plugins: () => readonly PluginStatus[],
): HostMetrics {
  registry.collected(
    { name: 'agent_plugin_state', help: 'Whether the plugin is in the state (1).' },
    'gauge',
    () => plugins().flatMap(stateSamples),
  );
  const level = (name: string, help: string, read: (plugin: PluginStatus) => number): void =>
    registry.collected({ name, help }, 'gauge', () =>
      plugins().map(plugin => ({
        suffix: '',
        labels: Labels.fromObject({ plugin: plugin.name }),
        value: read(plugin),
      })),
    );
  level('agent_plugin_series', 'Series the plugin has defined.', plugin => plugin.seriesCount);
  level(
    'agent_plugin_memory_bytes',
    'Resident memory of the plugin’s process and those below it, when last looked at.',
    plugin => plugin.memoryBytes,
  );
  level(
    'agent_plugin_interval_stretch',
    'How many times less often the plugin is collected from, for it uses too much CPU.',
    plugin => plugin.stretch,
  );
  const labelNames = ['plugin'];
  return {
    restarts: registry.counterVector({
      name: 'agent_plugin_restarts_total',
      help: 'Times the plugin was started again.',
      labelNames,
    }),
    cpuSeconds: registry.counterVector({
      name: 'agent_plugin_cpu_seconds_total',
      help: 'CPU time of the plugin’s processes, of all its lives, when last looked at.',
      labelNames,
    }),
    collectDuration: registry.histogramVector({
      name: 'agent_plugin_collect_duration_seconds',
      help: 'Time from asking the plugin to having its answer.',
      labelNames,
    }),
    samples: registry.counterVector({
      name: 'agent_plugin_samples_total',
      help: 'Samples taken from the plugin.',
      labelNames,
    }),
    missed: registry.counterVector({
      name: 'agent_plugin_collections_missed_total',
      help: 'Collections that failed or took too long.',
      labelNames,
    }),
    dropped: registry.counterVector({
      name: 'agent_plugin_dropped_total',
      help: 'Series and samples of the plugin that were not taken, by reason.',
      labelNames: ['plugin', 'reason'],
    }),
    logLinesDropped: registry.counterVector({
      name: 'agent_plugin_log_lines_dropped_total',
      help: 'Lines the plugin logged that were not passed on, for there were too many.',
      labelNames,
    }),
  };
}

/** Takes away what was measured of a plugin that is no more. */
export function forgetPlugin(metrics: HostMetrics, plugin: string): void {
  const { dropped, ...others } = metrics;
  for (const vector of Object.values(others)) vector.remove(plugin);
  for (const reason of DROP_REASONS) dropped.remove(plugin, reason);
}

function stateSamples({ name, state }: PluginStatus): MetricSample[] {
  return PLUGIN_STATES.map(each => ({
    suffix: '',
    labels: Labels.fromObject({ plugin: name, state: each }),
    value: each === state ? 1 : 0,
  }));
}
