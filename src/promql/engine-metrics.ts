// What the engine says about itself.

import type { Counter, Histogram, Registry, Vector } from '../telemetry/metrics.ts';
import type { Gate } from './gate.ts';
import type { MemoryPool } from './limits/memory.ts';

/** Counters of one engine. Registers its families, so a registry serves one engine. */
export class EngineMetrics {
  readonly #queries: Vector<Counter>;
  readonly #seconds: Histogram;
  readonly #samples: Counter;
  readonly #refusals: Vector<Counter>;

  constructor(registry: Registry, gate: Gate, pool: MemoryPool) {
    this.#queries = registry.counterVector({
      name: 'outpost_promql_queries_total',
      help: 'PromQL queries by outcome: ok or the code of the error.',
      labelNames: ['outcome'],
    });
    this.#seconds = registry.histogram({
      name: 'outpost_promql_query_seconds',
      help: 'Time spent evaluating PromQL queries, waiting not included.',
    });
    this.#samples = registry.counter({
      name: 'outpost_promql_samples_read_total',
      help: 'Samples that PromQL queries have read from storage.',
    });
    this.#refusals = registry.counterVector({
      name: 'outpost_promql_queries_refused_total',
      help: 'PromQL queries that were refused or stopped, by the limit that was reached.',
      labelNames: ['limit'],
    });
    registry.observed(
      {
        name: 'outpost_promql_memory_held_bytes',
        help: 'Memory that running PromQL queries and answers on their way hold, as the limits count it.',
      },
      'gauge',
      () => pool.held,
    );
    registry.observed(
      { name: 'outpost_promql_queries_running', help: 'PromQL queries that are evaluated now.' },
      'gauge',
      () => gate.running,
    );
    registry.observed(
      { name: 'outpost_promql_queries_waiting', help: 'PromQL queries that wait for a place.' },
      'gauge',
      () => gate.waiting,
    );
  }

  answered(seconds: number, samplesRead: number): void {
    this.#queries.with('ok').inc();
    this.#seconds.observe(seconds);
    this.#samples.inc(samplesRead);
  }

  refused(limit: string): void {
    this.#refusals.with(limit).inc();
  }

  failed(code: string): void {
    this.#queries.with(code).inc();
  }
}
