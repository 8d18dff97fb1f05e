// The agent keeps its own metrics beside the host's: each interval the registry is gathered and appended
// as if it had been scraped, with `up` for itself and for the host's job.

import { type Labels, METRIC_NAME } from '../src/labels/labels.ts';
import type { Clock } from '../src/lifecycle/clock.ts';
import { sleep } from '../src/lifecycle/clock.ts';
import { OutpostError } from '../src/lifecycle/errors.ts';
import type { Appendable, Appender, SeriesRef } from '../src/storage/appender.ts';
import type { MetricFamily } from '../src/telemetry/metrics.ts';

/** Whether a job delivered lately. */
export interface JobHealth {
  readonly targetLabels: Labels;
  readonly up: boolean;
}

export interface SelfScrapeOptions {
  readonly storage: Appendable;
  readonly gather: () => readonly MetricFamily[];
  /** Health of the other jobs at a time (Unix ms). */
  readonly jobs: (now: number) => readonly JobHealth[];
  /** job and instance of the agent's own series. */
  readonly targetLabels: Labels;
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Called when writes begin to be refused as a whole, not for each that follows. */
  readonly onLost: (error: unknown) => void;
}

/** Writes the agent's own samples on the grid of the interval. */
export class SelfScrape {
  readonly #options: SelfScrapeOptions;
  readonly #refs = new Map<string, SeriesRef>();
  /** Families whose metadata the database has. */
  readonly #described = new Set<string>();
  #isLosing = false;
  /** Unix ms of the last scrape, how long it took, and why nothing of it was stored, '' where it was. */
  lastScrape = 0;
  lastScrapeMs = 0;
  lastError = '';

  constructor(options: SelfScrapeOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.#options;
    while (!signal.aborted) {
      const started = clock.monotonic();
      await this.scrape(clock.now());
      this.lastScrapeMs = clock.monotonic() - started;
      await sleep(clock, intervalMs - (clock.now() % intervalMs), signal).catch(() => {});
    }
  }

  /** Appends everything at one time. */
  async scrape(time: number): Promise<void> {
    const appender = this.#options.storage.appender();
    this.lastScrape = time;
    const { targetLabels } = this.#options;
    const put = (name: string, labels: Labels, value: number): void => {
      const ref = this.#resolve(appender, name, labels);
      appender.append(ref, time, value);
    };
    for (const family of this.#options.gather()) {
      this.#describe(appender, family);
      for (const { suffix, labels, value } of family.samples) {
        put(family.name + suffix, targetLabels.merge(labels), value);
      }
    }
    put('up', targetLabels, 1);
    for (const job of this.#options.jobs(time)) put('up', job.targetLabels, job.up ? 1 : 0);
    try {
      const result = await appender.commit();
      this.#isLosing = false;
      this.lastError = '';
      // A series was collected as empty between two scrapes; the next one makes it anew.
      if (result.refused.has('unknown-series')) this.#refs.clear();
    } catch (error) {
      this.#described.clear();
      this.lastError = OutpostError.from(error).message;
      if (!this.#isLosing) this.#options.onLost(error);
      this.#isLosing = true;
    }
  }

  #describe(appender: Appender, { name, type, help, unit = '' }: MetricFamily): void {
    if (this.#described.has(name)) return;
    this.#described.add(name);
    appender.metadata(name, { type, help, unit });
  }

  #resolve(appender: Appender, name: string, labels: Labels): SeriesRef {
    const key = `${name}\ud800${labels.key}`;
    let ref = this.#refs.get(key);
    if (ref === undefined) {
      ref = appender.series(labels.with(METRIC_NAME, name));
      this.#refs.set(key, ref);
    }
    return ref;
  }
}
