// The objects of one query as they are now: listed once, then kept by a watch, listed anew when that breaks.

import { type Clock, sleep } from '../../lifecycle/clock.ts';
import type { KubernetesClient, KubernetesObject, ObjectQuery } from './client.ts';

const RETRY_MS = 5000;

export interface ObjectStoreOptions {
  readonly client: KubernetesClient;
  readonly query: ObjectQuery;
  readonly clock: Clock;
  /** After each change, and once when the first list is there. */
  readonly onChange: () => void;
  /** What went wrong; it is tried again. */
  readonly onFailure: (error: unknown) => void;
}

/** Objects by `namespace/name`. */
export class ObjectStore {
  readonly objects: Map<string, KubernetesObject> = new Map();
  /** True once everything has been listed. */
  isComplete = false;
  readonly #options: ObjectStoreOptions;

  constructor(options: ObjectStoreOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onFailure } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#follow(await this.#list(signal), signal);
      } catch (error) {
        if (signal.aborted) return;
        onFailure(error);
        await sleep(clock, RETRY_MS, signal).catch(() => {});
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, query, onChange } = this.#options;
    const { items, resourceVersion } = await client.list(query, signal);
    this.objects.clear();
    for (const object of items) this.objects.set(keyOf(object), object);
    this.isComplete = true;
    onChange();
    return resourceVersion;
  }

  /** Servers end watches every few minutes; the next goes on from the last version. */
  async #follow(from: string, signal: AbortSignal): Promise<void> {
    const { client, query, onChange, clock } = this.#options;
    let version = from;
    while (!signal.aborted) {
      let isQuiet = true;
      for await (const change of client.watch(query, version, signal)) {
        isQuiet = false;
        if (change.kind === 'expired') return;
        if (change.kind === 'bookmark') version = change.resourceVersion;
        else {
          version = change.object.metadata.resourceVersion ?? version;
          if (change.kind === 'set') this.objects.set(keyOf(change.object), change.object);
          else this.objects.delete(keyOf(change.object));
          onChange();
        }
      }
      if (isQuiet) await sleep(clock, RETRY_MS, signal);
    }
  }
}

/** `namespace/name`, or the name of what is in no namespace. */
export function keyOf({ metadata: { namespace, name } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
