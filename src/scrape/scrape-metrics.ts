// What scraping tells of itself, under Prometheus' names where it has them.

import type { CommitResult, RefusalReason } from '../storage/appender.ts';
import type { Counter, Gauge, Registry, Vector } from '../telemetry/metrics.ts';

const REFUSALS: Partial<Record<RefusalReason, string>> = {
  'out-of-order': 'out_of_order',
  'duplicate-sample': 'duplicate_timestamp',
  'too-old': 'too_old',
  'out-of-bounds': 'out_of_bounds',
  'too-far-in-future': 'out_of_bounds',
};

/** Counters of all pools of a process. */
export class ScrapeMetrics {
  readonly targets: Vector<Gauge>;
  readonly failed: Vector<Counter>;
  readonly lost: Counter;
  readonly discovered: Vector<Gauge>;
  readonly unusable: Vector<Counter>;
  readonly #refused: Vector<Counter>;
  readonly #stored: Counter;

  constructor(registry: Registry) {
    this.targets = registry.gaugeVector({
      name: 'prometheus_target_scrape_pool_targets',
      help: 'Targets that are scraped, by job.',
      labelNames: ['scrape_job'],
    });
    this.discovered = registry.gaugeVector({
      name: 'prometheus_sd_discovered_targets',
      help: 'Targets that were discovered, by job.',
      labelNames: ['config'],
    });
    this.failed = registry.counterVector({
      name: 'agent_scrape_failures_total',
      help: 'Scrapes that failed, by job.',
      labelNames: ['scrape_job'],
    });
    this.unusable = registry.counterVector({
      name: 'agent_scrape_unusable_targets_total',
      help: 'Discovered targets that could not be used, by job.',
      labelNames: ['scrape_job'],
    });
    this.lost = registry.counter({
      name: 'agent_scrape_lost_scrapes_total',
      help: 'Scrapes whose samples could not be written, for instance because the disk was full.',
    });
    this.#stored = registry.counter({
      name: 'agent_scrape_samples_stored_total',
      help: 'Scraped samples stored in the local database.',
    });
    this.#refused = registry.counterVector({
      name: 'agent_scrape_refused_samples_total',
      help: 'Scraped samples that the database did not take, by reason.',
      labelNames: ['reason'],
    });
  }

  /** Counts a commit; a sentence for the log where samples were refused, else null. */
  committed(result: CommitResult): string | null {
    this.#stored.inc(result.stored);
    if (result.refused.size === 0) return null;
    for (const [reason, count] of result.refused) {
      this.#refused.with(REFUSALS[reason] ?? reason.replaceAll('-', '_')).inc(count);
    }
    const [example] = result.examples;
    const counts = [...result.refused].map(([reason, count]) => `${count} ${reason}`).join(', ');
    return example ? `${counts}; first ${example.labels} (${example.reason})` : counts;
  }
}
