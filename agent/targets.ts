// What the agent collects from, as Prometheus shows targets: one for each plugin, one for the agent itself.

import type { PluginState } from '../plugins/host/plugin-state.ts';
import type { ApiTarget } from '../src/httpapi/sources.ts';
import { Labels } from '../src/labels/labels.ts';
import type { MetricMetadata } from '../src/storage/appender.ts';
import type { MetricFamily } from '../src/telemetry/metrics.ts';
import type { Ingest } from './ingest.ts';
import type { SelfScrape } from './self-scrape.ts';

export interface TargetsOptions {
  readonly ingest: Ingest;
  readonly states: () => ReadonlyMap<string, PluginState>;
  /** Labels of collected series, and of the agent's own. */
  readonly nodeLabels: Labels;
  readonly ownLabels: Labels;
  /** Null where the agent's own metrics are not stored. */
  readonly selfScrape: SelfScrape | null;
  readonly gather: () => readonly MetricFamily[];
  readonly intervalMs: number;
  /** A target that delivered nothing for so long is down. */
  readonly missedMs: number;
  readonly now: () => number;
}

/** States in which a plugin that has delivered nothing yet is down; in all others it is on its way. */
const SETTLED: readonly PluginState[] = [
  ...(['running', 'degraded', 'backoff', 'quarantined'] as const),
  ...(['stuck', 'draining', 'stopped'] as const),
];

/** Plugins in the order they were configured, then the agent itself. */
export function agentTargets(options: TargetsOptions): ApiTarget[] {
  const plugins = [...options.states()].map(([name, state]) => pluginTarget(name, state, options));
  return options.selfScrape ? [...plugins, ownTarget(options.selfScrape, options)] : plugins;
}

function pluginTarget(name: string, state: PluginState, options: TargetsOptions): ApiTarget {
  const { ingest, nodeLabels, intervalMs, missedMs, now } = options;
  const source = ingest.sources.get(name);
  const lastScrape = source?.lastCollected ?? 0;
  const isUp = lastScrape > 0 && now() - lastScrape <= missedMs && state === 'running';
  const isNew = lastScrape === 0 && !SETTLED.includes(state);
  const lastError = isUp || isNew ? '' : `the plugin is ${state}`;
  return {
    discoveredLabels: discovered(name, nodeLabels),
    labels: nodeLabels,
    pool: `plugin/${name}`,
    url: `plugin://${name}`,
    lastError,
    lastScrape,
    lastScrapeMs: source?.lastCollectionMs ?? 0,
    health: isUp ? 'up' : isNew ? 'unknown' : 'down',
    intervalMs,
    timeoutMs: intervalMs,
    metadata: source?.latest.families ?? new Map(),
  };
}

function ownTarget(scrape: SelfScrape, options: TargetsOptions): ApiTarget {
  const { ownLabels, intervalMs, gather } = options;
  const { lastScrape, lastScrapeMs, lastError } = scrape;
  return {
    discoveredLabels: discovered('agent', ownLabels),
    labels: ownLabels,
    pool: 'agent',
    url: 'agent://self',
    lastError,
    lastScrape,
    lastScrapeMs,
    health: lastScrape === 0 ? 'unknown' : lastError === '' ? 'up' : 'down',
    intervalMs,
    timeoutMs: intervalMs,
    metadata: new Map(
      gather().map(({ name, type, help, unit = '' }): [string, MetricMetadata] => [
        name,
        { type, help, unit },
      ]),
    ),
  };
}

function discovered(address: string, labels: Labels): Labels {
  return labels.merge(Labels.fromObject({ __address__: address }));
}
