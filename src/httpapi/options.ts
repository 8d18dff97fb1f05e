// What the API is made of. The agent and the querier pass different parts; nothing here knows either.

import type { Exposition } from '../exposition/negotiate.ts';
import type { Labels } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';
import type { Clock } from '../lifecycle/clock.ts';
import type { Engine } from '../promql/engine.ts';
import type { RemoteReadLimits } from '../remote/read-server.ts';
import type { WriteHeaders } from '../remote/receiver.ts';
import type { WriteAnswer } from '../remote/write-tally.ts';
import type { MetadataSource } from '../storage/appender.ts';
import type { ExemplarQueryable } from '../storage/exemplar.ts';
import type { Queryable } from '../storage/queryable.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Registry } from '../telemetry/metrics.ts';
import type { GatheredSource } from './gathered.ts';
import type { Notifications } from './notifications.ts';
import type { Parameters } from './parameters.ts';
import type { ReadObserver } from './read-observer.ts';
import type { ApiRoute } from './route.ts';
import type { WalReplay } from './routes/wal-replay.ts';
import type {
  ApiScrapePool,
  ApiTarget,
  LifecycleOperations,
  PluginSource,
  StoreSource,
} from './sources.ts';

/** What `/api/v1/status/buildinfo` says. */
export interface BuildInfo {
  /** Clients read the API's abilities from it. */
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  readonly goVersion: string;
}

/** Which collectors a reader of `/metrics` wants: those collected, or all but those excluded. */
export interface MetricsFilter {
  readonly collect: readonly string[];
  readonly exclude: readonly string[];
}

/** Operations that change or export the store. */
export interface AdminOperations {
  /** Writes a snapshot and returns its name. */
  snapshot(options: { readonly skipHead: boolean }): Promise<string>;
  /** Deletes samples with minTime ≤ t ≤ maxTime of the series that all matchers accept. */
  deleteSeries(minTime: number, maxTime: number, matchers: readonly Matcher[]): Promise<unknown>;
  /** Frees the space of what was deleted. */
  cleanTombstones(): Promise<void>;
}

export interface ApiLimits {
  /** Longest query, selector or form body in bytes. */
  readonly formBytesMax: number;
  /** Largest compressed remote-write body. */
  readonly writeBytesMax: number;
  /** Largest answer of a query as JSON, before it is packed. */
  readonly resultBytesMax: number;
  /** Most series, names or values that one metadata answer holds. */
  readonly listMax: number;
}

/** Safe for an agent and a querier. */
export const API_LIMITS: ApiLimits = {
  formBytesMax: 4 * 1024 * 1024,
  writeBytesMax: 32 * 1024 * 1024,
  resultBytesMax: 512 * 1024 * 1024,
  listMax: 1_000_000,
};

export interface ApiOptions {
  readonly engine: Engine;
  /**
   * The store a request reads; it tells the observer what it reads and what it could not. Throws `bad-data`
   * for parameters of its own that are wrong.
   */
  queryableFor(parameters: Parameters, observer?: ReadObserver): Queryable;
  /** False while the store starts or stops: the API then answers 503. */
  ready(): boolean;
  /**
   * How far the store has come with bringing back its newest samples. Until that is done it answers with
   * what it has, and `/-/ready` with 503. Absent where there is nothing to bring back.
   */
  walReplay?(): WalReplay;
  readonly buildInfo: BuildInfo;
  /** Further answers of `/api/v1/status/<key>`, such as flags, config, runtimeinfo or tsdb. */
  readonly status?: Readonly<Record<string, (parameters: Parameters) => unknown>>;
  readonly metadata?: MetadataSource;
  /** Asked in place of `metadata`, `exemplars` and `targets` by a mode that knows by asking others. */
  readonly gathered?: GatheredSource;
  readonly exemplars?: ExemplarQueryable;
  /** The whole of `/metrics` in the negotiated format, trailer included: bytes where that is protobuf. */
  metrics?(
    exposition: Exposition,
    filter: MetricsFilter,
  ): string | Uint8Array | Promise<string | Uint8Array>;
  /** Labels that tell this store from all others; given to what federation and remote read hand out. */
  externalLabels?(): Labels;
  /** How long a sample counts as current for `/federate`; five minutes where absent. */
  readonly lookbackMs?: number;
  /** What is collected from; nothing where absent. */
  targets?(): readonly ApiTarget[];
  /** Pools that relabel; a pool of `targets` need not be among them. */
  scrapePools?(): readonly ApiScrapePool[];
  /** Plugins; none where absent. */
  readonly plugins?: PluginSource;
  /** The mode's own database in numbers. */
  readonly store?: StoreSource;
  /** Reloading and ending, where the mode lets clients do that. */
  readonly lifecycle?: LifecycleOperations;
  /** Conditions that last; none where absent. */
  readonly notifications?: Notifications;
  /** Limits of remote read; Prometheus' where absent. */
  readonly remoteRead?: Partial<RemoteReadLimits>;
  /** Takes remote write. */
  write?(body: Uint8Array, headers: WriteHeaders): Promise<WriteAnswer>;
  readonly admin?: AdminOperations;
  /** Routes of the mode's own. */
  readonly routes?: readonly ApiRoute[];
  /** RE2 that an Origin header must match for a browser elsewhere to read answers; none by default. */
  readonly corsOrigin?: string;
  readonly limits?: Partial<ApiLimits>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
}
