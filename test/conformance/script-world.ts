// What a script loads: one store, or from its first `store` command on several, which are read as the query
// tier reads its endpoints: pruned by what they announce, merged, not deduplicated.

import type { Endpoint } from '../../federation/query/endpoint-set.ts';
import { newProxy } from '../../federation/query/proxy.ts';
import { Labels } from '../../src/labels/labels.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import { MemoryStorage } from './memory-storage.ts';
import type { StoreCommand } from './script.ts';

/** The stores of a running script. */
export class ScriptWorld {
  /** Where what is loaded next belongs. */
  storage = new MemoryStorage();
  /** The external labels of that store. */
  labels = Labels.empty;
  readonly #endpoints: Endpoint[] = [];

  /** Everything that was loaded. */
  get queryable(): Queryable {
    if (this.#endpoints.length === 0) return this.storage;
    return newProxy({
      endpoints: () => this.#endpoints,
      replicaLabels: [],
      partialResponse: false,
      storeMatch: [],
      onPartial: () => {},
    });
  }

  clear(): void {
    this.storage = new MemoryStorage();
    this.labels = Labels.empty;
    this.#endpoints.length = 0;
  }

  /** Begins a store. */
  begin({ labels, minTime, maxTime }: StoreCommand): void {
    const storage = new MemoryStorage();
    this.storage = storage;
    this.labels = labels;
    const store = {
      ...{ minTime, maxTime, supportsSharding: false, supportsWithoutReplicaLabels: true },
      streams: [{ labels, minTime, maxTime }],
    };
    const info = { componentType: 'store', labelSets: [labels], store, apis: [] };
    this.#endpoints.push({
      address: `store-${this.#endpoints.length}`,
      client: {
        info: async () => info,
        reading: () => storage,
        frames: async () => [],
        close: () => {},
      },
      ...{ healthy: true, since: 0, lastCheck: 0, error: null, info },
    });
  }
}
