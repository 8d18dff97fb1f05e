// The endpoints a querier knows: who they are, which are healthy and what they announce. An endpoint is
// asked for data only while its Info answers.

import { isDeepStrictEqual } from 'node:util';
import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Actor } from '../../src/lifecycle/run-group.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import type { RemoteReadOptions } from '../../src/storeapi/client.ts';
import type { StoreInfo } from '../../src/storeapi/info.ts';
import type { BytesMethod } from '../../src/storeapi/service.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Registry } from '../../src/telemetry/metrics.ts';
import { type EndpointSpec, joinHostPort, parseEndpoint } from './endpoint-address.ts';
import { registerEndpointMetrics } from './endpoint-metrics.ts';

/** What a querier needs of a peer; StoreClient is one. */
export interface EndpointClient {
  info(timeoutMs: number, signal?: AbortSignal): Promise<StoreInfo>;
  reading(options: RemoteReadOptions): Queryable;
  /** All frames of another streaming call; only asked for what the peer announces. */
  frames(method: BytesMethod, request: Uint8Array, signal?: AbortSignal): Promise<Uint8Array[]>;
  close(): void;
}

/** One endpoint as it is now. */
export interface Endpoint {
  readonly address: string;
  readonly client: EndpointClient;
  readonly healthy: boolean;
  /** Unix ms of the last change between healthy and not. */
  readonly since: number;
  /** Unix ms of the last Info call; 0 before the first has ended. */
  readonly lastCheck: number;
  /** Why it is not healthy; null while it is. */
  readonly error: string | null;
  /** The last announcement, kept while the endpoint is not healthy; null before the first. */
  readonly info: StoreInfo | null;
}

export interface EndpointSetOptions {
  /** As configured; see `parseEndpoint`. */
  readonly endpoints: readonly string[];
  readonly connect: (address: string) => EndpointClient;
  /** All addresses of a name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly intervalMs?: number;
  readonly infoTimeoutMs?: number;
  readonly resolveIntervalMs?: number;
}

const INTERVAL_MS = 5_000;
const INFO_TIMEOUT_MS = 5_000;
const RESOLVE_INTERVAL_MS = 30_000;

type NameSpec = Extract<EndpointSpec, { kind: 'dns' }>;

/** A name, with the addresses it had when it was last resolved. */
interface Name {
  readonly spec: NameSpec;
  addresses: readonly string[];
}

/** Holds the endpoints and polls them; `actor` keeps it going. */
export class EndpointSet {
  readonly #options: EndpointSetOptions;
  readonly #fixed: readonly string[];
  readonly #names: readonly Name[];
  readonly #endpoints = new Map<string, Endpoint>();
  #resolvedAt = Number.NEGATIVE_INFINITY;

  /** Throws OutpostError `bad-data` where an endpoint cannot be read. */
  constructor(options: EndpointSetOptions) {
    this.#options = options;
    const specs = options.endpoints.map(parseEndpoint);
    this.#fixed = specs.flatMap(spec => (spec.kind === 'address' ? [spec.address] : []));
    this.#names = specs.flatMap(spec => (spec.kind === 'dns' ? [{ spec, addresses: [] }] : []));
    this.#reconcile();
    registerEndpointMetrics(options.registry, () => this.all());
  }

  /** All endpoints, by address. */
  all(): readonly Endpoint[] {
    return [...this.#endpoints.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** Asks every endpoint once; resolves when all have answered or timed out. */
  async update(signal?: AbortSignal): Promise<void> {
    await this.#resolveNames();
    await Promise.all(this.all().map(endpoint => this.#poll(endpoint, signal)));
  }

  /** Polls until stopped, then closes all connections. */
  actor(): Actor {
    return {
      name: 'endpoints',
      run: async signal => {
        const { clock, intervalMs = INTERVAL_MS } = this.#options;
        while (!signal.aborted) {
          await this.update(signal);
          await sleep(clock, intervalMs, signal).catch(() => {}); // stopped: the loop ends
        }
        this.close();
      },
    };
  }

  close(): void {
    for (const { client } of this.#endpoints.values()) client.close();
    this.#endpoints.clear();
  }

  async #resolveNames(): Promise<void> {
    const { clock, resolveIntervalMs = RESOLVE_INTERVAL_MS } = this.#options;
    if (this.#names.length === 0) return;
    if (clock.monotonic() - this.#resolvedAt < resolveIntervalMs) return;
    this.#resolvedAt = clock.monotonic();
    await Promise.all(this.#names.map(name => this.#resolve(name)));
    this.#reconcile();
  }

  async #resolve(name: Name): Promise<void> {
    const { host, port } = name.spec;
    try {
      const ips = await this.#options.resolve(host);
      name.addresses = ips.map(ip => joinHostPort(ip, port));
    } catch (error) {
      // What the name was before is the better guess.
      this.#options.logger.warn('name of endpoints cannot be resolved', { host, err: error });
    }
  }

  /** Connects to new addresses and drops those that are gone. */
  #reconcile(): void {
    const wanted = new Set([...this.#fixed, ...this.#names.flatMap(name => name.addresses)]);
    for (const [address, { client }] of this.#endpoints) {
      if (wanted.has(address)) continue;
      client.close();
      this.#endpoints.delete(address);
      this.#options.logger.info('endpoint is gone', { address });
    }
    for (const address of wanted) {
      if (this.#endpoints.has(address)) continue;
      this.#endpoints.set(address, {
        address,
        client: this.#options.connect(address),
        healthy: false,
        since: this.#options.clock.now(),
        lastCheck: 0,
        error: 'it has not answered yet',
        info: null,
      });
    }
  }

  async #poll(endpoint: Endpoint, signal?: AbortSignal): Promise<void> {
    const { infoTimeoutMs = INFO_TIMEOUT_MS } = this.#options;
    try {
      const info = await endpoint.client.info(infoTimeoutMs, signal);
      this.#learn(endpoint, { healthy: true, error: null, info });
    } catch (thrown) {
      if (signal?.aborted) return;
      const error = OutpostError.from(thrown).message;
      this.#learn(endpoint, { healthy: false, error, info: endpoint.info });
    }
  }

  #learn(endpoint: Endpoint, now: Pick<Endpoint, 'healthy' | 'error' | 'info'>): void {
    const { clock, logger } = this.#options;
    const { address } = endpoint;
    if (this.#endpoints.get(address)?.client !== endpoint.client) return;
    const changed = endpoint.healthy !== now.healthy;
    const since = changed ? clock.now() : endpoint.since;
    this.#endpoints.set(address, { ...endpoint, ...now, since, lastCheck: clock.now() });
    if (changed && now.healthy) logger.info('endpoint is healthy', { address });
    else if (changed || endpoint.lastCheck === 0) {
      logger.warn('endpoint is not healthy', { address, err: now.error });
    } else if (!isDeepStrictEqual(endpoint.info?.labelSets, now.info?.labelSets)) {
      logger.info('endpoint announces other labels', { address });
    }
  }
}
