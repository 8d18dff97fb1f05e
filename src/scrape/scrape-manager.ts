// All jobs of a process. Jobs that a new configuration leaves as they are go on undisturbed: same loops, same
// offsets, same memory of their series.

import type { DiscoveryConfig } from '../discovery/config.ts';
import type { Discoverer, TargetGroup } from '../discovery/discoverer.ts';
import { type Actor, aborted } from '../lifecycle/run-group.ts';
import type { ScrapeConfig } from './config.ts';
import type { ScrapeContext } from './scrape-loop.ts';
import { ScrapePool } from './scrape-pool.ts';

/** How long changes of targets are gathered before they are acted on. */
const GATHER_MS = 500;

export interface ScrapeManagerOptions extends ScrapeContext {
  readonly newDiscoverer: (config: DiscoveryConfig) => Discoverer;
}

interface Job {
  readonly text: string;
  readonly pool: ScrapePool;
  readonly stop: AbortController;
  readonly discovery: readonly Promise<void>[];
}

/** Runs jobs between `run`'s start and end. */
export class ScrapeManager implements Actor {
  readonly name: string = 'scraping';
  readonly #options: ScrapeManagerOptions;
  readonly #jobs = new Map<string, Job>();
  readonly #retired = new Set<Promise<void>>();
  #configs: readonly ScrapeConfig[];
  #signal: AbortSignal | null = null;

  /** `configs` are started when `run` is. */
  constructor(configs: readonly ScrapeConfig[], options: ScrapeManagerOptions) {
    this.#configs = configs;
    this.#options = options;
  }

  /** The jobs at work, in the order of their configuration. */
  get pools(): readonly ScrapePool[] {
    return [...this.#jobs.values()].map(({ pool }) => pool);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.apply(this.#configs);
    await aborted(signal);
    for (const name of [...this.#jobs.keys()]) this.#retire(name);
    await Promise.all(this.#retired);
  }

  /** Goes over to other jobs: those that changed are started anew, those that did not are left alone. */
  apply(configs: readonly ScrapeConfig[]): void {
    this.#configs = configs;
    if (this.#signal === null || this.#signal.aborted) return;
    const wanted = new Map(configs.map(config => [config.jobName, JSON.stringify(config)]));
    for (const [name, { text }] of this.#jobs) if (wanted.get(name) !== text) this.#retire(name);
    const before = new Map(this.#jobs);
    this.#jobs.clear();
    for (const config of configs) {
      const job = before.get(config.jobName) ?? this.#start(config, wanted.get(config.jobName)!);
      this.#jobs.set(config.jobName, job);
    }
  }

  #start(config: ScrapeConfig, text: string): Job {
    const pool = new ScrapePool(config, this.#options);
    const stop = new AbortController();
    const groups = new Map<string, TargetGroup>();
    let isDue = false;
    let isFirst = true;
    const sync = (): void => {
      isDue = false;
      if (!stop.signal.aborted) pool.sync(groups.values());
    };
    const publish = (prefix: string, changed: readonly TargetGroup[]): void => {
      for (const group of changed) {
        const key = `${prefix}/${group.source}`;
        if (group.targets.length > 0) groups.set(key, group);
        else groups.delete(key);
      }
      if (isDue) return;
      isDue = true;
      if (isFirst) queueMicrotask(sync);
      else this.#options.clock.after(GATHER_MS, sync);
      isFirst = false;
    };
    const discovery = config.discovery.map((one, i) =>
      this.#options
        .newDiscoverer(one)
        .run(stop.signal, changed => publish(`${i}/${one.kind}`, changed)),
    );
    return { text, pool, stop, discovery };
  }

  #retire(name: string): void {
    const job = this.#jobs.get(name)!;
    this.#jobs.delete(name);
    job.stop.abort(new DOMException('stopping', 'AbortError'));
    const { pool } = job;
    const retired = (async () => {
      await Promise.all(job.discovery);
      await pool.stop(this.#signal!);
      await pool.ended();
    })().finally(() => this.#retired.delete(retired));
    this.#retired.add(retired);
  }
}
