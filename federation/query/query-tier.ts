// The querier as a whole: endpoints, fan-out and deduplication behind one Queryable for PromQL and the
// HTTP API, and a StoreAPI of its own so that queriers stack.

import type { ReadObserver } from '../../src/httpapi/read-observer.ts';
import { Labels } from '../../src/labels/labels.ts';
import { type DedupFunction, dedupCombine } from '../../src/storage/dedup.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import type { GrpcServer } from '../../src/storeapi/grpc-server.ts';
import type { StreamInfo } from '../../src/storeapi/info.ts';
import {
  KNOWLEDGE_APIS,
  type KnowledgeSource,
  serveKnowledge,
} from '../../src/storeapi/knowledge-server.ts';
import { serveStore } from '../../src/storeapi/server.ts';
import type { StoreLimits, StoreSource } from '../../src/storeapi/store-source.ts';
import type { Registry } from '../../src/telemetry/metrics.ts';
import type { Endpoint, EndpointSet } from './endpoint-set.ts';
import { type GatherOptions, gatheredKnowledge } from './gather.ts';
import { newProxy, type ProxyOptions } from './proxy.ts';
import type { PruneQuery } from './prune.ts';

export interface QueryTierOptions {
  readonly endpoints: EndpointSet;
  readonly registry: Registry;
  /** Labels that tell replicas apart where a query does not say. */
  readonly replicaLabels: readonly string[];
  readonly dedupFunction?: DedupFunction;
}

/** How one query is to be read. */
export interface QueryOptions {
  readonly dedup: boolean;
  /** Default: those of the tier. */
  readonly replicaLabels?: readonly string[];
  readonly partialResponse: boolean;
  /** Selectors of endpoints by `__address__`; default: all. */
  readonly storeMatch?: PruneQuery['storeMatch'];
}

/** One endpoint in the answer of `/api/v1/stores`. Times are Unix ms but for lastCheck. */
export interface StoreStatus {
  readonly name: string;
  /** RFC 3339. */
  readonly lastCheck: string;
  readonly lastError: string | null;
  readonly labelSets: readonly Record<string, string>[];
  readonly minTime: number;
  readonly maxTime: number;
}

/** Reads all endpoints as one. */
export class QueryTier {
  readonly #options: QueryTierOptions;
  readonly #onPartial: () => void;

  constructor(options: QueryTierOptions) {
    this.#options = options;
    const partial = options.registry.counter({
      name: 'outpost_query_endpoint_failures_total',
      help: 'Endpoints whose part of an answer is missing; the answer carried a warning.',
    });
    this.#onPartial = () => partial.inc();
  }

  /** The endpoints as one store, deduplicated where that is asked for. */
  queryableFor(query: QueryOptions, observer?: ReadObserver): Queryable {
    const replicaLabels = query.dedup ? (query.replicaLabels ?? this.#options.replicaLabels) : [];
    const func = this.#options.dedupFunction ?? 'penalty';
    return this.#proxy({
      replicaLabels,
      partialResponse: query.partialResponse,
      storeMatch: query.storeMatch ?? [],
      ...(observer && { observer }),
      ...(query.dedup && {
        combine: ({ minTime, maxTime }, options) =>
          dedupCombine({ func, selectFunc: options?.hints?.func ?? '', minTime, maxTime }),
      }),
    });
  }

  /** Endpoints by the kind of component, as `/api/v1/stores` answers. */
  stores(): Record<string, StoreStatus[]> {
    const byKind: Record<string, StoreStatus[]> = {};
    for (const endpoint of this.#options.endpoints.all()) {
      const kind = endpoint.info?.componentType || 'unknown';
      byKind[kind] ??= [];
      byKind[kind].push(statusOf(endpoint));
    }
    return byKind;
  }

  /** Serves the endpoints' series as a store of its own, not deduplicated. */
  serve(server: GrpcServer, options: TierServerOptions): void {
    const { endpoints } = this.#options;
    const source: StoreSource = {
      stripsReplicaLabels: true,
      open: ({ replicaLabels, partialResponse }) =>
        this.#proxy({ replicaLabels, partialResponse, storeMatch: [] }),
    };
    serveStore(server, {
      ...options,
      source,
      componentType: 'query',
      streams: () => endpoints.all().flatMap(streamsOf),
      notReady: () => null,
      apis: KNOWLEDGE_APIS,
    });
    serveKnowledge(server, this.#knowledge({ replicaLabels: [], storeMatch: [] }), () => null);
  }

  /** What the endpoints know beside their series, as one query wants it. */
  knowledgeFor({ dedup, replicaLabels, storeMatch = [] }: QueryOptions): KnowledgeSource {
    const labels = dedup ? (replicaLabels ?? this.#options.replicaLabels) : [];
    return this.#knowledge({ replicaLabels: labels, storeMatch });
  }

  #knowledge(options: Pick<GatherOptions, 'replicaLabels' | 'storeMatch'>): KnowledgeSource {
    return gatheredKnowledge({
      ...options,
      endpoints: () => this.#options.endpoints.all(),
      onPartial: this.#onPartial,
    });
  }

  #proxy(options: Omit<ProxyOptions, 'endpoints' | 'onPartial'>): Queryable {
    return newProxy({
      ...options,
      endpoints: () => this.#options.endpoints.all(),
      onPartial: this.#onPartial,
    });
  }
}

export interface TierServerOptions {
  readonly limits?: Partial<StoreLimits>;
  /** Monotonic time in ms. */
  readonly monotonic: () => number;
}

function statusOf({ address, lastCheck, error, info }: Endpoint): StoreStatus {
  return {
    name: address,
    lastCheck: new Date(lastCheck).toISOString(),
    lastError: error,
    labelSets: (info?.labelSets ?? []).map(labels => labels.toObject()),
    minTime: info?.store?.minTime ?? 0,
    maxTime: info?.store?.maxTime ?? 0,
  };
}

/**
 * What an endpoint that serves series adds to the announcement. One that is not healthy, or has not
 * answered yet, is announced too: a querier above then asks, and is told what is missing.
 */
function streamsOf({ info }: Endpoint): StreamInfo[] {
  if (!info) return [{ labels: Labels.empty, minTime: -(2 ** 63), maxTime: 2 ** 63 }];
  if (!info.store) return [];
  const { minTime, maxTime, streams } = info.store;
  if (info.labelSets.length === 0) return [{ labels: Labels.empty, minTime, maxTime }];
  const described = new Set(streams.map(stream => stream.labels.key));
  // Older peers announce label sets without saying which range each of them has.
  const others = info.labelSets.filter(labels => !described.has(labels.key));
  return [...streams, ...others.map(labels => ({ labels, minTime, maxTime }))];
}
