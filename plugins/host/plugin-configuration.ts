// A plugin's part of its specification, as Configure carries it.

import { writeCollectors } from '../sdk/configure-request.ts';
import type { Configuration } from './connection.ts';
import { limitsOf, type PluginSpec } from './plugin-spec.ts';

/** What the plugin is told. */
export function configurationOf(spec: PluginSpec, intervalMs: number): Configuration {
  const { collectors = {}, roots = {} } = spec;
  return {
    intervalMs,
    maxSeries: limitsOf(spec).seriesMax,
    roots,
    collectors: writeCollectors(collectors),
  };
}
