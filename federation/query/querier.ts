// The query tier put together: endpoints, engine, HTTP API, and a StoreAPI of its own.

import { expose } from '../../src/exposition/expose.ts';
import { newApi } from '../../src/httpapi/api.ts';
import type { ListenAddress } from '../../src/httpapi/listen.ts';
import { listenHttp } from '../../src/httpapi/listen.ts';
import type { ApiOptions, BuildInfo } from '../../src/httpapi/options.ts';
import type { Clock } from '../../src/lifecycle/clock.ts';
import type { Actor } from '../../src/lifecycle/run-group.ts';
import { Engine, type EngineOptions } from '../../src/promql/engine.ts';
import { QUERY_LIMITS } from '../../src/promql/limits/query-limits.ts';
import { StoreClient } from '../../src/storeapi/client.ts';
import { newGrpcServer } from '../../src/storeapi/grpc-server.ts';
import { listenGrpc } from '../../src/storeapi/listen.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Registry } from '../../src/telemetry/metrics.ts';
import { ActiveQueries } from '../../src/telemetry/queries/active-queries.ts';
import { EndpointSet } from './endpoint-set.ts';
import { gatheredSource } from './gathered-source.ts';
import { QueryTier } from './query-tier.ts';
import { requestOptions } from './request-options.ts';

export interface QuerierOptions {
  readonly httpAddress: ListenAddress;
  /** `host:port` or `unix:/path`. */
  readonly grpcAddress: string;
  readonly endpoints: readonly string[];
  readonly replicaLabels: readonly string[];
  /** Longest silence of an endpoint before its part is given up, ms. */
  readonly responseTimeoutMs: number;
  readonly engine: Omit<EngineOptions, 'clock' | 'registry'>;
  /** The file that says which queries run; none where absent. */
  readonly journalFile?: string;
  readonly limits?: ApiOptions['limits'];
  readonly buildInfo: BuildInfo;
  readonly status: ApiOptions['status'];
  /** All addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
}

/** A querier that listens; its actors have to be run. */
export interface RunningQuerier {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly actors: readonly Actor[];
  /** Asks all endpoints who they are, now. */
  update(): Promise<void>;
}

/** Starts to listen. Throws OutpostError. */
export async function newQuerier(options: QuerierOptions): Promise<RunningQuerier> {
  const { clock, logger, registry, responseTimeoutMs: frameTimeoutMs } = options;
  const endpoints = new EndpointSet({
    endpoints: options.endpoints,
    connect: address => new StoreClient({ address, clock, frameTimeoutMs }),
    resolve: options.resolve,
    clock,
    logger: logger.child({ component: 'endpoints' }),
    registry,
  });
  const { replicaLabels } = options;
  const tier = new QueryTier({ endpoints, registry, replicaLabels });
  const api = newApi({
    engine: newEngine(options),
    ...(options.limits && { limits: options.limits }),
    queryableFor: (parameters, observer) => tier.queryableFor(requestOptions(parameters), observer),
    gathered: gatheredSource(tier),
    ready: () => true,
    buildInfo: options.buildInfo,
    ...(options.engine.lookbackMs !== undefined && { lookbackMs: options.engine.lookbackMs }),
    ...(options.status && { status: options.status }),
    metrics: exposition => expose(registry.gather(), exposition),
    routes: [
      {
        methods: ['GET'],
        path: '/api/v1/stores',
        handle: () => ({ kind: 'data', data: tier.stores() }),
      },
    ],
    clock,
    logger: logger.child({ component: 'http' }),
    registry,
  });
  const store = newGrpcServer(clock);
  tier.serve(store, { monotonic: () => clock.monotonic() });
  const http = await listenHttp(api, options.httpAddress).catch(error => {
    endpoints.close();
    throw error;
  });
  const grpc = await listenGrpc(store, options.grpcAddress).catch(async error => {
    endpoints.close();
    await http.actor.run(AbortSignal.abort());
    throw error;
  });
  return {
    httpPort: http.port,
    grpcPort: grpc.port,
    update: () => endpoints.update(),
    actors: [endpoints.actor(), http.actor, grpc.actor],
  };
}

function newEngine({ engine, journalFile, clock, logger, registry }: QuerierOptions): Engine {
  if (journalFile === undefined) return new Engine({ ...engine, clock, registry });
  const concurrencyMax = engine.concurrencyMax ?? QUERY_LIMITS.concurrencyMax;
  const journal = new ActiveQueries(journalFile, { concurrencyMax, now: clock.now, logger });
  return new Engine({ ...engine, journal, clock, registry });
}
