// Targets that the configuration names.

import { aborted } from '../lifecycle/run-group.ts';
import type { StaticDiscovery } from './config.ts';
import type { Discoverer } from './discoverer.ts';

/** Publishes the groups once. */
export function staticDiscoverer({ groups }: StaticDiscovery): Discoverer {
  return {
    name: 'static',
    async run(signal, publish) {
      publish(groups);
      await aborted(signal);
    },
  };
}
