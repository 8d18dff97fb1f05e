// The life of the process: what lasts and should be known, reloading, ending.

import { OutpostError } from '../../lifecycle/errors.ts';
import { Notifications } from '../notifications.ts';
import type { ApiOptions } from '../options.ts';
import { type ApiAnswer, type ApiRoute, plainAnswer } from '../route.ts';

const DISABLED = 'Lifecycle API is not enabled.\n';

/** `/api/v1/notifications`, `/api/v1/notifications/live`, `/-/reload` and `/-/quit`. */
export function lifecycleRoutes(options: ApiOptions): ApiRoute[] {
  const { lifecycle } = options;
  const notifications = options.notifications ?? new Notifications(() => options.clock.now());
  return [
    {
      methods: ['GET'],
      path: '/api/v1/notifications',
      handle: () => ({ kind: 'data', data: notifications.list() }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/notifications/live',
      handle: ({ signal }) => {
        const body = notifications.events(signal);
        if (!body) return plainAnswer(204, '');
        const headers = { 'cache-control': 'no-cache' };
        return { kind: 'bytes', contentType: 'text/event-stream', headers, body };
      },
    },
    {
      methods: ['POST', 'PUT'],
      path: '/-/reload',
      handle: () => (lifecycle ? reloaded(() => lifecycle.reload()) : plainAnswer(403, DISABLED)),
    },
    {
      methods: ['POST', 'PUT'],
      path: '/-/quit',
      always: true,
      handle: () => {
        if (!lifecycle) return plainAnswer(403, DISABLED);
        lifecycle.quit();
        return plainAnswer(200, 'Requesting termination... Goodbye!\n');
      },
    },
  ];
}

async function reloaded(reload: () => Promise<string>): Promise<ApiAnswer> {
  try {
    return plainAnswer(200, await reload());
  } catch (error) {
    const { message } = OutpostError.from(error);
    return plainAnswer(500, `failed to reload config: ${message}\n`);
  }
}
