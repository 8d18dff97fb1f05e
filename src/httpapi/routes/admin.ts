// Operations on the store.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { ApiOptions } from '../options.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiRoute } from '../route.ts';

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['', false],
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map(text => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map(text => [text, false] as const),
]);

/** `/api/v1/admin/tsdb/snapshot`; without admin operations it answers `unavailable`. */
export function adminRoutes({ admin }: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['POST', 'PUT'],
      path: '/api/v1/admin/tsdb/snapshot',
      handle: async ({ parameters }) => {
        if (!admin)
          throw new OutpostError(
            'unavailable',
            'admin APIs disabled; an agent allows them with --web.enable-admin-api',
          );
        const skipHead = BOOLEANS.get(parameters.text('skip_head'));
        if (skipHead === undefined) {
          throw invalidParameter('skip_head', 'unable to parse boolean "skip_head" argument');
        }
        return { kind: 'data', data: { name: await admin.snapshot({ skipHead }) } };
      },
    },
  ];
}
