// What Prometheus answers where no rules or Alertmanagers exist. Clients such as
// Grafana ask for them without knowing, and take an error for a broken data source.

import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiRoute } from '../route.ts';

/** The paths whose answer is empty here. */
export function nothingRoutes(): ApiRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/api/v1/rules',
      handle: ({ parameters }) => {
        checkRuleFilter(parameters);
        return { kind: 'data', data: { groups: [] } };
      },
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

/** A filter with a mistake is one where nothing is filtered too. */
function checkRuleFilter(parameters: Parameters): void {
  const type = parameters.text('type').toLowerCase();
  if (type !== '' && type !== 'alert' && type !== 'record') {
    throw invalidParameter('type', `not supported value ${JSON.stringify(type)}`);
  }
  const limit = parameters.text('group_limit');
  if (limit !== '' && !/^\+?\d{1,15}$/.test(limit)) {
    throw invalidParameter('group_limit', 'group_limit needs to be a valid number');
  }
  parameters.selectors();
}
