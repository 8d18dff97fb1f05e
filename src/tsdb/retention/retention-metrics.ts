// What retention removes, by reason.

import type { Counter, Registry, Vector } from '../../telemetry/metrics.ts';

/** Why samples are removed from blocks. */
export type RemovalReason = 'time' | 'size' | 'policy' | 'disk' | 'deleted';

/** Counters of removal. */
export interface RetentionMetrics {
  readonly blocks: Vector<Counter>;
  readonly samples: Vector<Counter>;
}

/** Registers the metrics; once a registry. */
export function newRetentionMetrics(registry: Registry): RetentionMetrics {
  const labelNames = ['reason'];
  const metrics = {
    blocks: registry.counterVector({
      name: 'prometheus_tsdb_removed_blocks_total',
      help: 'Blocks deleted or written anew to remove samples, by reason.',
      labelNames,
    }),
    samples: registry.counterVector({
      name: 'prometheus_tsdb_removed_samples_total',
      help: 'Samples removed from blocks, by reason.',
      labelNames,
    }),
  };
  const reasons: readonly RemovalReason[] = ['time', 'size', 'policy', 'disk', 'deleted'];
  for (const reason of reasons) {
    metrics.blocks.with(reason);
    metrics.samples.with(reason);
  }
  return metrics;
}

/** Counts samples that a block, which may be gone as a whole, has lost. */
export function noteRemoved(
  metrics: RetentionMetrics,
  reason: RemovalReason,
  samples: number,
): void {
  metrics.blocks.with(reason).inc();
  metrics.samples.with(reason).inc(samples);
}
