// Discovery that asks again and again: publishes what has changed, keeps what it knew while asking fails.

import { sleep } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Discoverer, PublishGroups, TargetGroup } from './discoverer.ts';
import type { DiscoveryContext } from './new-discoverer.ts';

/** What publishes only what differs from what was published before. */
export class GroupChanges {
  readonly #publish: PublishGroups;
  readonly #known = new Map<string, string>();
  #isFirst = true;

  constructor(publish: PublishGroups) {
    this.#publish = publish;
  }

  /** Takes all groups of now; those that are missing are gone. True where something changed. */
  replace(groups: readonly TargetGroup[]): boolean {
    const changed: TargetGroup[] = [];
    const sources = new Set(groups.map(({ source }) => source));
    for (const source of [...this.#known.keys()]) {
      if (sources.has(source)) continue;
      this.#known.delete(source);
      changed.push({ source, targets: [], labels: {} });
    }
    for (const group of groups) {
      const text = JSON.stringify(group);
      if (this.#known.get(group.source) === text) continue;
      this.#known.set(group.source, text);
      changed.push(group);
    }
    const isNews = changed.length > 0 || this.#isFirst;
    this.#isFirst = false;
    if (isNews) this.#publish(changed);
    return changed.length > 0;
  }
}

export interface PollingOptions {
  readonly name: string;
  readonly refreshMs: number;
  /** All groups of now, or null where nothing can be said. Throws where asking failed. */
  readonly find: (signal: AbortSignal) => Promise<readonly TargetGroup[] | null>;
  /** For logs: what is asked. */
  readonly subject: string;
}

/** A discoverer that calls `find` at each refresh. Failures are logged when they begin and counted. */
export function pollingDiscoverer(options: PollingOptions, context: DiscoveryContext): Discoverer {
  const { name, refreshMs, find, subject } = options;
  return {
    name,
    async run(signal, publish) {
      const changes = new GroupChanges(publish);
      let isFailing = false;
      while (!signal.aborted) {
        try {
          const groups = await find(signal);
          if (groups !== null && changes.replace(groups)) context.metrics.updates.with(name).inc();
          isFailing = false;
        } catch (error) {
          if (signal.aborted) return;
          context.metrics.failures.with(name).inc();
          const { message } = OutpostError.from(error);
          if (!isFailing) context.logger.warn('targets are not found', { subject, err: message });
          isFailing = true;
        }
        await sleep(context.clock, refreshMs, signal).catch(() => {});
      }
    },
  };
}
