// The endpoints as metrics, under the name dashboards for Thanos know.

import { Labels } from '../../src/labels/labels.ts';
import type { MetricSample, Registry } from '../../src/telemetry/metrics.ts';
import type { Endpoint } from './endpoint-set.ts';

/** Registers what is read from the endpoints whenever metrics are gathered. */
export function registerEndpointMetrics(registry: Registry, all: () => readonly Endpoint[]): void {
  registry.collected(
    {
      name: 'thanos_store_nodes_grpc_connections',
      help: 'Healthy endpoints by external labels and kind.',
    },
    'gauge',
    () => connections(all()),
  );
  registry.collected(
    { name: 'outpost_query_endpoint_up', help: 'Whether an endpoint answers.' },
    'gauge',
    () =>
      all().map(({ address, healthy }) => ({
        suffix: '',
        labels: Labels.fromObject({ endpoint: address }),
        value: healthy ? 1 : 0,
      })),
  );
}

function connections(endpoints: readonly Endpoint[]): MetricSample[] {
  const counts = new Map<string, { labels: Labels; value: number }>();
  for (const { healthy, info } of endpoints) {
    if (!healthy || !info) continue;
    const labels = Labels.fromObject({
      external_labels: info.labelSets.map(String).join(','),
      store_type: info.componentType,
    });
    const known = counts.get(labels.key);
    if (known) known.value++;
    else counts.set(labels.key, { labels, value: 1 });
  }
  return [...counts.values()].map(({ labels, value }) => ({ suffix: '', labels, value }));
}
