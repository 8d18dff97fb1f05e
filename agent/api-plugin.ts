// A plugin as the HTTP API shows it.

import type { PluginStatus } from '../plugins/host/plugin-status.ts';
import type { ApiPlugin } from '../src/httpapi/sources.ts';

/** Everything the host knows of the plugin. */
export function apiPlugin({ seriesCount, collectors, limits, ...status }: PluginStatus): ApiPlugin {
  return { ...status, series: seriesCount, limits: { ...limits }, collectors: collectors() };
}
