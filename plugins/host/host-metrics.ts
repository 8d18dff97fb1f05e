// What the host measures about its plugins.

import { Labels } from '../../src/labels/labels.ts';
import type {
  Counter,
  Histogram,
  MetricSample,
  Registry,
  Vector,
} from '../../src/telemetry/metrics.ts';
import { PLUGIN_STATES, type PluginState } from './plugin-state.ts';

/** What is read from each plugin when metrics are gathered. */
export interface PluginStatus {
  readonly name: string;
  readonly state: PluginState;
  readonly seriesCount: number;
}

/** The host's metrics; made once, for names are registered once. */
export interface HostMetrics {
  readonly restarts: Vector<Counter>;
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
  registry.collected(
    { name: 'agent_plugin_series', help: 'Series the plugin has defined.' },
    'gauge',
    () =>
      plugins().map(({ name, seriesCount }) => ({
        suffix: '',
        labels: Labels.fromObject({ plugin: name }),
        value: seriesCount,
      })),
  );
  const labelNames = ['plugin'];
  return {
    restarts: registry.counterVector({
      name: 'agent_plugin_restarts_total',
      help: 'Times the plugin was started again.',
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

function stateSamples({ name, state }: PluginStatus): MetricSample[] {
  return PLUGIN_STATES.map(each => ({
    suffix: '',
    labels: Labels.fromObject({ plugin: name, state: each }),
    value: each === state ? 1 : 0,
  }));
}
