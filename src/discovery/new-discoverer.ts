// The discoverer of each kind of configuration.

import type { Clock } from '../lifecycle/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DiscoveryConfig } from './config.ts';
import type { Discoverer } from './discoverer.ts';
import { dnsDiscoverer } from './dns-discovery.ts';
import { fileDiscoverer } from './file-discovery.ts';
import { httpDiscoverer } from './http-discovery.ts';
import { kubernetesDiscoverer } from './kubernetes/kubernetes-discovery.ts';
import { listenerDiscoverer } from './listener-discovery.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import { staticDiscoverer } from './static-discovery.ts';

/** What discoverers need of their process. */
export interface DiscoveryContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DiscoveryMetrics;
  readonly userAgent: string;
}

/** Not yet running. */
export function newDiscoverer(config: DiscoveryConfig, context: DiscoveryContext): Discoverer {
  switch (config.kind) {
    case 'static':
      return staticDiscoverer(config);
    case 'file':
      return fileDiscoverer(config, context);
    case 'http':
      return httpDiscoverer(config, context);
    case 'dns':
      return dnsDiscoverer(config, context);
    case 'listeners':
      return listenerDiscoverer(config, context);
    case 'kubernetes':
      return kubernetesDiscoverer(config, context);
  }
}
