// What the process says about itself: status pages, health, its own metrics.

import { negotiateAnyExposition, negotiateExposition } from '../../exposition/negotiate.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { ApiOptions } from '../options.ts';
import { type ApiRoute, plainAnswer } from '../route.ts';
import { isReplayed } from './wal-replay.ts';

/** `/api/v1/status/*`, `/-/healthy`, `/-/ready` and, where the mode has it, `/metrics`. */
export function statusRoutes(options: ApiOptions): ApiRoute[] {
  const pages = Object.entries(options.status ?? {});
  return [
    {
      methods: ['GET'],
      path: '/api/v1/status/buildinfo',
      handle: () => ({ kind: 'data', data: options.buildInfo }),
    },
    ...pages.map(
      ([name, read]): ApiRoute => ({
        methods: ['GET'],
        path: `/api/v1/status/${name}`,
        handle: ({ parameters }) => ({ kind: 'data', data: read(parameters) }),
      }),
    ),
    {
      methods: ['GET'],
      path: '/-/healthy',
      always: true,
      handle: () => plainAnswer(200, 'Outpost is Healthy.\n'),
    },
    {
      methods: ['GET'],
      path: '/-/ready',
      always: true,
      handle: () =>
        options.ready() && isReplayed(options)
          ? plainAnswer(200, 'Outpost is Ready.\n')
          : plainAnswer(503, 'Service Unavailable\n'),
    },
    ...metricsRoutes(options),
  ];
}

function metricsRoutes(options: ApiOptions): ApiRoute[] {
  if (!options.metrics) return [];
  return [
    {
      methods: ['GET'],
      path: '/metrics',
      always: true,
      handle: async ({ headers, parameters }) => {
        const exposition = negotiateAnyExposition(headers.accept);
        const collect = parameters.all('collect[]');
        const exclude = parameters.all('exclude[]');
        if (collect.length > 0 && exclude.length > 0) {
          throw new OutpostError(
            'bad-data',
            'combined collect[] and exclude[] queries are not allowed',
          );
        }
        const body = await options.metrics!(exposition, { collect, exclude });
        const { contentType } = exposition;
        if (typeof body !== 'string') return { kind: 'bytes', contentType, body };
        // A mode that writes text alone answers so, whatever was asked for.
        const isText = exposition.format !== 'protobuf';
        const type = isText ? contentType : negotiateExposition(undefined).contentType;
        return { kind: 'plain', status: 200, contentType: type, text: body };
      },
    },
  ];
}
