// What discovery tells of itself.

import type { Counter, Registry, Vector } from '../telemetry/metrics.ts';

/** Counters of all discoverers of a process, by their names. */
export class DiscoveryMetrics {
  readonly failures: Vector<Counter>;
  readonly updates: Vector<Counter>;

  constructor(registry: Registry) {
    this.failures = registry.counterVector({
      name: 'agent_discovery_failures_total',
      help: 'Attempts to find targets that failed, by mechanism.',
      labelNames: ['mechanism'],
    });
    this.updates = registry.counterVector({
      name: 'agent_discovery_updates_total',
      help: 'Changes of targets that were found, by mechanism.',
      labelNames: ['mechanism'],
    });
  }
}
