// The agent put together: database, plugin host, ingest, HTTP API, StoreAPI. All wiring is here; every
// part is a parameter of the next.

import { join } from 'node:path';
import { PluginHost } from '../plugins/host/plugin-host.ts';
import type { PluginSpec } from '../plugins/host/plugin-spec.ts';
import type { PluginState } from '../plugins/host/plugin-state.ts';
import { FileStorage } from '../plugins/host/plugin-storage.ts';
import type { ProcessTools } from '../plugins/host/process-tools.ts';
import { newApi } from '../src/httpapi/api.ts';
import { type ListenAddress, listenHttp } from '../src/httpapi/listen.ts';
import type { ApiOptions, BuildInfo } from '../src/httpapi/options.ts';
import { Labels } from '../src/labels/labels.ts';
import type { Clock } from '../src/lifecycle/clock.ts';
import { type Actor, aborted } from '../src/lifecycle/run-group.ts';
import { Engine, type EngineOptions } from '../src/promql/engine.ts';
import { QUERY_LIMITS } from '../src/promql/limits/query-limits.ts';
import { RemoteWriteReceiver } from '../src/remote/receiver.ts';
import type { ScrapeConfig } from '../src/scrape/config.ts';
import { type GrpcServer, newGrpcServer } from '../src/storeapi/grpc-server.ts';
import type { StreamInfo } from '../src/storeapi/info.ts';
import { KNOWLEDGE_APIS, serveKnowledge } from '../src/storeapi/knowledge-server.ts';
import { listenGrpc } from '../src/storeapi/listen.ts';
import { serveStore } from '../src/storeapi/server.ts';
import { localSource } from '../src/storeapi/store-source.ts';
import type { Logger } from '../src/telemetry/logger.ts';
import type { Registry } from '../src/telemetry/metrics.ts';
import { ActiveQueries } from '../src/telemetry/queries/active-queries.ts';
import { type Db, startDb } from '../src/tsdb/db.ts';
import type { DbOptions } from '../src/tsdb/db-options.ts';
import { apiPlugin } from './api-plugin.ts';
import { EventLog } from './events.ts';
import { renderMetrics } from './exporter.ts';
import { Ingest } from './ingest.ts';
import { agentKnowledge } from './knowledge.ts';
import { observedDb } from './observed-db.ts';
import { newPluginOffers } from './plugin-offers.ts';
import { newScraping, scrapedTargets, scrapePools } from './scrape.ts';
import { SelfScrape } from './self-scrape.ts';
import { agentTargets } from './targets.ts';

export interface AgentOptions {
  readonly dataDir: string;
  readonly httpAddress: ListenAddress;
  /** `host:port` or `unix:/path`. */
  readonly grpcAddress: string;
  readonly collectIntervalMs: number;
  /** Announced over StoreAPI and put on every series there. Read anew each time: a reload may change them. */
  readonly externalLabels: Labels;
  /** The `instance` label of collected series. */
  readonly instance: string;
  readonly plugins: readonly PluginSpec[];
  /** A directory of this agent alone for plugin sockets, and one that other users can get to. */
  readonly socketDir: string;
  readonly sharedSocketDir?: string;
  /** This machine without cgroups where absent. */
  readonly processTools?: ProcessTools;
  readonly database: Pick<
    DbOptions,
    | 'retentionMs'
    | 'retentionBytes'
    | 'retentionPolicies'
    | 'minFreeBytes'
    | 'coldAfterMs'
    | 'seriesMax'
    | 'outOfOrderMs'
    | 'snapshotOnClose'
  >;
  readonly engine: Omit<EngineOptions, 'clock' | 'registry'>;
  /** Limits of the API's answers. */
  readonly limits?: ApiOptions['limits'];
  readonly remoteWriteReceiver: boolean;
  /** What is scraped beside the plugins. */
  readonly scrape: readonly ScrapeConfig[];
  /** Limits of remote read; Prometheus' where absent. */
  readonly remoteRead?: ApiOptions['remoteRead'];
  /** Whether the agent's own metrics are stored beside the host's. */
  readonly selfMetrics: boolean;
  /** RE2 an Origin must match for a browser elsewhere to read answers; none where absent. */
  readonly corsOrigin?: string;
  readonly adminApi: boolean;
  /** Reloading and ending over HTTP; refused where absent. */
  readonly lifecycle?: ApiOptions['lifecycle'];
  readonly notifications?: ApiOptions['notifications'];
  readonly buildInfo: BuildInfo;
  /** Answers of `/api/v1/status/…` that only the main knows. */
  readonly status: ApiOptions['status'];
  readonly context: AgentContext;
}

/** What a process has. */
export interface AgentContext {
  readonly logger: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fillRandom: (bytes: Uint8Array) => void;
}

/** An agent that listens; its actors have to be run. */
export interface Agent {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly actors: readonly Actor[];
  /** Where each plugin is in its life. */
  plugins(): ReadonlyMap<string, PluginState>;
  /** As PluginHost's. */
  reconfigurePlugins(plugins: readonly PluginSpec[]): Promise<void>;
  /** Goes over to other scrape jobs; those that stay the same are left alone. */
  reconfigureScraping(configs: readonly ScrapeConfig[]): void;
  /** Series in the head of the database. */
  seriesCount(): number;
  readonly collectIntervalMs: number;
}

// A job is down when it missed two collections.
const MISSED_INTERVALS = 2;
/** How far behind the newest sample the head still takes one: half a block range. */
const LATE_MS = 3_600_000;

/**
 * Opens the database's blocks and starts to listen; the log is replayed meanwhile, and plugins start when it
 * is. Throws OutpostError; nothing is left open then.
 */
export async function newAgent(options: AgentOptions): Promise<Agent> {
  const { logger, registry, clock, random, fillRandom } = options.context;
  const events = new EventLog(clock, logger, registry);
  const db = await startDb(options.dataDir, {
    clock,
    logger: logger.child({ component: 'tsdb' }),
    registry,
    fillRandom,
    onEvent: event => events.add(event),
    ...options.database,
  });
  const nodeLabels = Labels.fromObject({ job: 'node', instance: options.instance });
  const ownLabels = Labels.fromObject({ job: 'outpost', instance: options.instance });
  const ingest = new Ingest({
    storage: db,
    registry,
    events,
    targetLabels: nodeLabels,
    now: () => clock.now(),
  });
  const engine = newEngine(options);
  const host = new PluginHost({
    offers: newPluginOffers({
      engine,
      queryable: db,
      events,
      storage: new FileStorage(join(options.dataDir, 'plugins')),
      clock,
      fillRandom,
    }),
    plugins: options.plugins,
    sink: ingest,
    onEvent: event => events.add(event),
    clock,
    random,
    logger: logger.child({ component: 'plugins' }),
    registry,
    socketDir: options.socketDir,
    ...(options.sharedSocketDir !== undefined && { sharedSocketDir: options.sharedSocketDir }),
    ...(options.processTools && { processTools: options.processTools }),
    intervalMs: options.collectIntervalMs,
  });
  const selfScrape = new SelfScrape({
    storage: db,
    gather: () => registry.gather(),
    jobs: now => {
      const sources = [...ingest.sources.values()];
      const isUp = (collected: number): boolean =>
        now - collected <= MISSED_INTERVALS * options.collectIntervalMs;
      const up = sources.every(source => isUp(source.lastCollected));
      return sources.length === 0 ? [] : [{ targetLabels: nodeLabels, up }];
    },
    targetLabels: ownLabels,
    intervalMs: options.collectIntervalMs,
    clock,
    onLost: error => logger.warn('own metrics are not stored', { err: String(error) }),
  });
  const scraping = newScraping(db, options);
  let stopping = false;
  try {
    const live: LiveParts = {
      engine,
      ready: () => !stopping,
      plugins: { list: () => host.list().map(apiPlugin), restart: name => host.restart(name) },
      scrapePools: () => scrapePools(scraping),
      targets: () => [
        ...agentTargets({
          ingest,
          states: () => host.states(),
          nodeLabels,
          ownLabels,
          selfScrape: options.selfMetrics ? selfScrape : null,
          gather: () => registry.gather(),
          intervalMs: options.collectIntervalMs,
          missedMs: MISSED_INTERVALS * options.collectIntervalMs,
          now: () => clock.now(),
        }),
        ...scrapedTargets(scraping),
      ],
    };
    const api = newAgentApi(options, db, ingest, live);
    const http = await listenHttp(api, options.httpAddress);
    const store = newStoreServer(options, db, live, () => (stopping ? 'it is stopping' : null));
    const grpc = await listenGrpc(store, options.grpcAddress).catch(async error => {
      await http.actor.run(AbortSignal.abort());
      throw error;
    });
    return {
      httpPort: http.port,
      grpcPort: grpc.port,
      actors: [
        databaseActor(db, () => (stopping = true)),
        ...(options.selfMetrics
          ? [onceOpen(db, { name: 'self-scrape', run: selfScrape.run.bind(selfScrape) })]
          : []),
        onceOpen(db, host),
        onceOpen(db, scraping),
        http.actor,
        grpc.actor,
      ],
      plugins: () => host.states(),
      reconfigureScraping: configs => scraping.apply(configs),
      reconfigurePlugins: plugins => host.reconfigure(plugins),
      seriesCount: () => db.seriesCount,
      collectIntervalMs: options.collectIntervalMs,
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** What of the agent its API shows as it runs. */
type LiveParts = Pick<ApiOptions, 'engine' | 'ready' | 'targets' | 'scrapePools' | 'plugins'>;

function newAgentApi(options: AgentOptions, db: Db, ingest: Ingest, live: LiveParts) {
  const { logger, registry, clock, random } = options.context;
  const receiver = options.remoteWriteReceiver
    ? new RemoteWriteReceiver({
        appendable: db,
        clock,
        registry,
        seed: Math.floor(random() * 2 ** 32),
      })
    : null;
  return newApi({
    ...(options.limits && { limits: options.limits }),
    queryableFor: (_parameters, observer) => (observer ? observedDb(db, observer) : db),
    ...live,
    store: {
      statistics: limit => db.headStatistics(limit),
      blocks: () => db.blocks.map(b => b.meta),
    },
    ...(options.lifecycle && { lifecycle: options.lifecycle }),
    ...(options.notifications && { notifications: options.notifications }),
    walReplay: () => db.replayState,
    buildInfo: options.buildInfo,
    ...(options.status && { status: options.status }),
    metadata: db,
    exemplars: db,
    externalLabels: () => options.externalLabels,
    ...(options.engine.lookbackMs !== undefined && { lookbackMs: options.engine.lookbackMs }),
    ...(options.remoteRead && { remoteRead: options.remoteRead }),
    metrics: (exposition, filter) =>
      renderMetrics(ingest, () => registry.gather(), exposition, filter),
    ...(receiver && { write: (body, headers) => receiver.receive(body, headers) }),
    ...(options.adminApi && {
      admin: {
        snapshot: request => snapshot(db, options, request.skipHead),
        deleteSeries: (minTime, maxTime, matchers) => db.delete(minTime, maxTime, matchers),
        cleanTombstones: () => db.cleanTombstones(),
      },
    }),
    ...(options.corsOrigin !== undefined && { corsOrigin: options.corsOrigin }),
    clock,
    logger: logger.child({ component: 'http' }),
    registry,
  });
}

/** An engine whose journal lies in the data directory, which this process has locked by now. */
function newEngine({ dataDir, engine, context }: AgentOptions): Engine {
  const { logger, registry, clock } = context;
  const journal = new ActiveQueries(join(dataDir, 'queries.active'), {
    concurrencyMax: engine.concurrencyMax ?? QUERY_LIMITS.concurrencyMax,
    now: clock.now,
    logger: logger.child({ component: 'activeQueryTracker' }),
  });
  return new Engine({ ...engine, journal, clock, registry });
}

/** Names a snapshot as Prometheus does: the time and a random part. */
async function snapshot(db: Db, options: AgentOptions, skipHead: boolean): Promise<string> {
  const { clock, random } = options.context;
  const time = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const suffix = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  const name = `${time}-${suffix}`;
  await db.snapshot(name, { skipHead });
  return name;
}

/** The agent's StoreAPI, not yet listening. */
function newStoreServer(
  options: AgentOptions,
  db: Db,
  live: LiveParts,
  notReady: () => string | null,
): GrpcServer {
  const { clock } = options.context;
  const server = newGrpcServer(clock);
  const externalLabels = (): Labels => options.externalLabels;
  serveKnowledge(server, agentKnowledge({ store: db, live, externalLabels }), notReady);
  serveStore(server, {
    source: localSource(db),
    externalLabels,
    apis: KNOWLEDGE_APIS,
    componentType: 'sidecar',
    streams: () => [announcedStream(options.externalLabels, db)],
    notReady,
    monotonic: () => clock.monotonic(),
  });
  return server;
}

/**
 * Queriers leave out a store whose range lies outside the query, and learn of a change seconds later. So
 * the announcement covers what may come next: newer samples, late ones, anything while it is empty.
 */
function announcedStream(labels: Labels, db: Db): StreamInfo {
  const maxTime = 2 ** 63;
  if (!Number.isFinite(db.minTime)) return { labels, minTime: -(2 ** 63), maxTime };
  return { labels, minTime: Math.min(db.minTime, db.maxTime - LATE_MS), maxTime };
}

/** An actor that needs the database's head. Where that cannot be brought back, the database ends the group. */
function onceOpen(db: Db, actor: Actor): Actor {
  return {
    name: actor.name,
    async run(signal) {
      await Promise.race([db.opened.catch(() => aborted(signal)), aborted(signal)]);
      if (!signal.aborted) await actor.run(signal);
    },
  };
}

function databaseActor(db: Db, onStop: () => void): Actor {
  return {
    name: 'database',
    async run(signal) {
      try {
        await db.run(signal);
      } finally {
        onStop();
        await db.close();
      }
    },
  };
}
