// How far the store's start is: `/api/v1/status/walreplay`, answered from the first moment on.

import type { ApiOptions } from '../options.ts';
import type { ApiRoute } from '../route.ts';

/** The replay of a log as Prometheus tells it. */
export interface WalReplay {
  /** First and last segment that are read. */
  readonly min: number;
  readonly max: number;
  /** The segment being read. */
  readonly current: number;
  readonly state: 'waiting' | 'in progress' | 'done';
}

/** The route, where the mode has a log. */
export function walReplayRoutes({ walReplay }: ApiOptions): ApiRoute[] {
  if (!walReplay) return [];
  return [
    {
      methods: ['GET'],
      path: '/api/v1/status/walreplay',
      always: true,
      handle: () => {
        const { min, max, current, state } = walReplay();
        return { kind: 'data', data: { min, max, current, state } };
      },
    },
  ];
}

/** True once nothing is being replayed. */
export function isReplayed({ walReplay }: ApiOptions): boolean {
  return !walReplay || walReplay().state === 'done';
}
