// Remote read.

import { Labels } from '../../labels/labels.ts';
import { RemoteReadServer } from '../../remote/read-server.ts';
import { API_LIMITS, type ApiOptions } from '../options.ts';
import { Parameters } from '../parameters.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/read`. An answer is whole or an error: the protocol has no place for warnings. */
export function readRoutes(options: ApiOptions): ApiRoute[] {
  const { clock, registry, remoteRead } = options;
  const server = new RemoteReadServer({
    externalLabels: () => options.externalLabels?.() ?? Labels.empty,
    monotonic: () => clock.monotonic(),
    registry,
    ...(remoteRead && { limits: remoteRead }),
  });
  return [
    {
      methods: ['POST'],
      path: '/api/v1/read',
      rawBodyBytesMax: options.limits?.formBytesMax ?? API_LIMITS.formBytesMax,
      handle: async ({ body, signal }) => {
        const queryable = options.queryableFor(new Parameters('partial_response=false'));
        return { kind: 'bytes', ...(await server.answer(queryable, body, signal)) };
      },
    },
  ];
}
