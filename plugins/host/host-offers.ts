// What an agent offers to its plugins and takes from them, beside samples.

import type { Logger } from '../../src/telemetry/logger.ts';
import type { HostServices } from './host-service.ts';
import type { PluginStorage } from './plugin-storage.ts';
import type { EventSink } from './received-event.ts';

/** The agent's side of the calls that go beyond collecting. */
export interface HostOffers {
  /** Where events of plugins go. */
  readonly events: EventSink;
  /** State of plugins and of what was taken from them. */
  readonly storage: PluginStorage;
  /** Answers queries of plugins over what this host keeps. */
  readonly query: HostServices['query'];
  /** For the certificates of AutoMTLS. */
  readonly fillRandom: (bytes: Uint8Array) => void;
}

/** What one plugin may ask. */
export function servicesFor(plugin: string, offers: HostOffers, logger: Logger): HostServices {
  return {
    query: offers.query,
    log: (level, message, fields) => logger[level](message, fields),
    state: offers.storage.of(plugin),
  };
}
