// What Prometheus answers where no rules or Alertmanagers exist. Clients such as
// Grafana ask for them without knowing, and take an error for a broken data source.

import type { ApiRoute } from '../route.ts';

/** The paths whose answer is empty here. */
export function nothingRoutes(): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/api/v1/rules',
      handle: () => ({ kind: 'data', data: { groups: [] } }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/alerts',
      handle: () => ({ kind: 'data', data: { alerts: [] } }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/alertmanagers',
      handle: () => ({
        kind: 'data',
        data: { activeAlertmanagers: [], droppedAlertmanagers: [] },
      }),
    },
  ];
}
