// A plugin's part of its specification, as Configure carries it.

import type { Configuration } from './connection.ts';
import { limitsOf, type PluginSpec } from './plugin-spec.ts';

/** What the plugin is told. */
export function configurationOf(spec: PluginSpec, intervalMs: number): Configuration {
  const { collectors = {}, roots = {} } = spec;
  return {
    intervalMs,
    maxSeries: limitsOf(spec).seriesMax,
    roots,
    collectors: Object.entries(collectors).map(([name, { enabled, options }]) => ({
      name,
      options: options ? JSON.stringify(options) : '',
      ...(enabled !== undefined && { enabled }),
    })),
  };
}
