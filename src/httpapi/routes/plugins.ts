// The plugins of an agent: what they are, how they fare, and starting one anew.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { ApiOptions } from '../options.ts';
import { type ApiRoute, plainAnswer } from '../route.ts';
import type { ApiPlugin } from '../sources.ts';

const DISABLED = 'Lifecycle API is not enabled.\n';

/** `/api/v1/plugins`, empty where there are none, and `/api/v1/plugins/:name/restart`. */
export function pluginRoutes({ plugins, lifecycle }: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/api/v1/plugins',
      always: true,
      handle: () => ({ kind: 'data', data: { plugins: (plugins?.list() ?? []).map(pluginJson) } }),
    },
    {
      methods: ['POST', 'PUT'],
      path: '/api/v1/plugins/:name/restart',
      always: true,
      handle: ({ path }) => {
        if (!lifecycle) return plainAnswer(403, DISABLED);
        const name = path['name'] ?? '';
        if (!plugins) throw new OutpostError('not-found', `restart plugin ${name}: there are none`);
        plugins.restart(name);
        return { kind: 'data', data: { plugin: name } };
      },
    },
  ];
}

function pluginJson({ since, pid, ...plugin }: ApiPlugin) {
  return {
    ...plugin,
    since: new Date(since).toISOString(),
    ...(pid !== null && { pid }),
    // No limit is none in JSON, which has no infinite numbers.
    limits: Object.fromEntries(
      Object.entries(plugin.limits).filter(([, limit]) => Number.isFinite(limit)),
    ),
    collectors: plugin.collectors.map(({ durationSeconds, cpuSeconds, ...collector }) => ({
      ...collector,
      ...(durationSeconds !== null && { durationSeconds }),
      ...(cpuSeconds !== null && { cpuSeconds }),
    })),
  };
}
