// An API over a memory store, for tests.

import type { FastifyInstance } from 'fastify';
import { newApi } from '../../src/httpapi/api.ts';
import type { ApiOptions } from '../../src/httpapi/options.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { MemoryStorage } from './memory-storage.ts';

/** What the tests need of it. */
export interface ApiUnderTest {
  readonly api: FastifyInstance;
  readonly storage: MemoryStorage;
  readonly registry: Registry;
  readonly clock: ManualClock;
}

export const BUILD_INFO = {
  version: '3.0.0',
  revision: 'abc',
  branch: 'main',
  buildUser: 'me',
  buildDate: '2026',
  goVersion: 'none',
};

/** The clock stands at `now` (Unix ms). */
export function newTestApi(now: number, changes: Partial<ApiOptions> = {}): ApiUnderTest {
  const storage = new MemoryStorage();
  const registry = new Registry();
  const clock = new ManualClock(now);
  const api = newApi({
    engine: new Engine({ clock }),
    queryableFor: () => storage,
    ready: () => true,
    buildInfo: BUILD_INFO,
    metadata: storage,
    exemplars: storage,
    clock,
    logger: silentLogger,
    registry,
    ...changes,
  });
  return { api, storage, registry, clock };
}
