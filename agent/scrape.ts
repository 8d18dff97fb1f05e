// Scraping within the agent: its jobs on the agent's database, and its targets as the API shows them.

import { createHash } from 'node:crypto';
import { DiscoveryMetrics } from '../src/discovery/metrics.ts';
import { newDiscoverer } from '../src/discovery/new-discoverer.ts';
import type { ApiScrapePool, ApiTarget } from '../src/httpapi/sources.ts';
import { relabelSteps } from '../src/labels/relabel.ts';
import { ScrapeManager } from '../src/scrape/scrape-manager.ts';
import { ScrapeMetrics } from '../src/scrape/scrape-metrics.ts';
import type { Appendable } from '../src/storage/appender.ts';
import type { AgentOptions } from './agent.ts';

/** The agent's jobs, not yet running. */
export function newScraping(
  storage: Appendable,
  options: Pick<AgentOptions, 'scrape' | 'context' | 'instance' | 'externalLabels' | 'buildInfo'>,
): ScrapeManager {
  const { clock, registry } = options.context;
  const logger = options.context.logger.child({ component: 'scrape' });
  const userAgent = `outpost/${options.buildInfo.version}`;
  const metrics = new DiscoveryMetrics(registry);
  return new ScrapeManager(options.scrape, {
    storage,
    clock,
    logger,
    metrics: new ScrapeMetrics(registry),
    userAgent,
    // Agents with the same targets do not ask them at the same moment.
    seed: seedOf(`${options.instance}\n${options.externalLabels.key}`),
    newDiscoverer: config => newDiscoverer(config, { clock, logger, metrics, userAgent }),
  });
}

function seedOf(text: string): number {
  return createHash('md5').update(text).digest().readUInt32BE(0);
}

/** The scraped targets, job by job. */
export function scrapedTargets(scraping: ScrapeManager): ApiTarget[] {
  return scraping.pools.flatMap(pool =>
    pool.loops.map(loop => ({
      discoveredLabels: loop.target.discoveredLabels,
      labels: loop.target.labels,
      pool: pool.config.jobName,
      url: loop.target.url,
      lastError: loop.lastError,
      lastScrape: loop.lastScrape,
      lastScrapeMs: loop.lastScrapeMs,
      health: loop.health,
      intervalMs: loop.target.intervalMs,
      timeoutMs: loop.target.timeoutMs,
      metadata: loop.metadata,
    })),
  );
}

/** The jobs with what their relabelling dropped. */
export function scrapePools(scraping: ScrapeManager): ApiScrapePool[] {
  return scraping.pools.map(({ config, dropped }) => ({
    name: config.jobName,
    dropped: dropped.labels,
    droppedCount: dropped.count,
    relabelSteps: labels => relabelSteps(config.relabel, labels),
  }));
}
