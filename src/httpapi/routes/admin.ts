// Operations on the store.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { AdminOperations, ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiAnswer, ApiRoute } from '../route.ts';
import { TIME_MAX, TIME_MIN } from '../times.ts';

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['', false],
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map(text => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map(text => [text, false] as const),
]);

const NO_CONTENT: ApiAnswer = { kind: 'plain', status: 204, contentType: '', text: '' };

type Operation = (admin: AdminOperations, parameters: Parameters) => Promise<ApiAnswer>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  snapshot: takeSnapshot,
  delete_series: deleteSeries,
  clean_tombstones: async admin => {
    await admin.cleanTombstones();
    return NO_CONTENT;
  },
};

/** `/api/v1/admin/tsdb/…`; without admin operations they answer `unavailable`. */
export function adminRoutes({ admin }: ApiOptions): ApiRoute[] {
  return Object.entries(OPERATIONS).map(([name, operation]) => ({
    methods: ['POST', 'PUT'],
    path: `/api/v1/admin/tsdb/${name}`,
    handle: async ({ parameters }) => {
      if (!admin) {
        throw new OutpostError(
          'unavailable',
          'admin APIs disabled; an agent allows them with --web.enable-admin-api',
        );
      }
      return await operation(admin, parameters);
    },
  }));
}

async function takeSnapshot(admin: AdminOperations, parameters: Parameters): Promise<ApiAnswer> {
  const skipHead = BOOLEANS.get(parameters.text('skip_head'));
  if (skipHead === undefined) {
    throw invalidParameter('skip_head', 'unable to parse boolean "skip_head" argument');
  }
  return { kind: 'data', data: { name: await admin.snapshot({ skipHead }) } };
}

/** Nothing is deleted where one of the parameters is wrong, nor for a selector that names nothing. */
async function deleteSeries(admin: AdminOperations, parameters: Parameters): Promise<ApiAnswer> {
  if (parameters.all('match[]').length === 0) {
    throw new OutpostError('bad-data', 'no match[] parameter provided');
  }
  const minTime = parameters.time('start', TIME_MIN);
  const maxTime = parameters.time('end', TIME_MAX);
  for (const matchers of parameters.selectors()) {
    await admin.deleteSeries(minTime, maxTime, matchers);
  }
  return NO_CONTENT;
}
