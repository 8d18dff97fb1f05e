// One collector at work: runs at every collection or, with an interval of its own, when its time has come,
// and repeats what it had in between. A run that takes long holds up nobody.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { OpenCollector } from './collector.ts';
import { NoDataError } from './collector.ts';
import type { PlannedCollector } from './configuration.ts';
import type { PluginContext } from './features.ts';
import type { MetricTable, Series } from './metrics.ts';
import type { CollectorFailure } from './sample-batch.ts';

/** Parts of the time between two collections for which a run is waited for. */
const PATIENCE = 0.8;
/** The same for a collector with an interval of its own, whose values of the run before are at hand. */
const SLOW_PATIENCE = 0.25;
/** Scope of the series that tell how collectors fare; they share two families. */
const META_SCOPE = '';

/** When a collector with an interval of its own has its turn: the same for ever, spread by name. */
export function phaseOf(key: string, intervalMs: number): number {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return intervalMs === 0 ? 0 : (hash >>> 0) % intervalMs;
}

/** Settles with `work`, or after `patienceMs` without it. */
function settled(work: Promise<void>, clock: Clock, patienceMs: number): Promise<void> {
  if (patienceMs === Number.POSITIVE_INFINITY) return work;
  return new Promise(resolve => {
    const cancel = clock.after(patienceMs, resolve);
    work.then(() => {
      cancel();
      resolve();
    });
  });
}

/** What a running collector is made with. */
export interface RunningCollectorOptions {
  readonly planned: PlannedCollector;
  readonly context: PluginContext;
  readonly table: MetricTable;
}

/** A collector that is switched on. */
export class RunningCollector {
  readonly planned: PlannedCollector;
  readonly #options: RunningCollectorOptions;
  readonly #duration: Series;
  readonly #success: Series;
  readonly #cpu: Series;
  readonly #phase: number;
  #opened: OpenCollector | null = null;
  #turn: number | null = null;
  #pending: Promise<void> | null = null;
  /** When the run under way or the last one began: monotonic ms, and the collection's number. */
  #startedAt = 0;
  #since = 0;
  /** What the last run that ended brought; null before the first. */
  #outcome: { readonly seconds: number; readonly error: unknown } | null = null;
  #slots: Uint32Array = new Uint32Array(0);
  #closed = false;
  #cpuSeconds = 0;

  constructor(options: RunningCollectorOptions) {
    const { planned, table } = options;
    this.#options = options;
    this.planned = planned;
    this.#phase = phaseOf(planned.key, planned.intervalMs);
    const meta = table.metricsOf(planned.collector.name, { name: META_SCOPE });
    this.#duration = meta
      .gauge({
        name: 'node_scrape_collector_duration_seconds',
        help: 'Time one run of the collector took.',
        unit: 'seconds',
        labels: ['collector'],
      })
      .with(planned.key);
    this.#success = meta
      .gauge({
        name: 'node_scrape_collector_success',
        help: 'Whether the last run of the collector brought what it should.',
        labels: ['collector'],
      })
      .with(planned.key);
    this.#cpu = meta
      .counter({
        name: 'node_scrape_collector_cpu_seconds_total',
        help: 'CPU time that runs of the collector took, each up to where it first waited.',
        unit: 'seconds',
        labels: ['collector'],
      })
      .with(planned.key);
    try {
      this.#open();
    } catch {
      // It is opened again when its turn comes, and what is wrong is told then.
    }
  }

  /** Whether its last run brought what it should; true before the first. */
  get healthy(): boolean {
    return this.#outcome === null || this.#outcome.error === null;
  }

  /**
   * Starts a run where one is due; returns what to wait for, at most the patience that collections of
   * `collectMs` leave, or null.
   */
  begin(time: number, collectMs: number): Promise<void> | null {
    if (this.#pending !== null || !this.#isDue(time)) return null;
    const { context, table } = this.#options;
    this.#since = table.generation;
    this.#startedAt = context.clock.monotonic();
    try {
      const pending = this.#open().collect(time);
      if (!pending) {
        this.#finish(null);
        return null;
      }
      this.#pending = pending.then(
        () => this.#finish(null),
        error => this.#finish(error ?? new Error('no reason given')),
      );
    } catch (error) {
      this.#finish(error ?? new Error('no reason given'));
      return null;
    }
    const part = this.planned.intervalMs > 0 ? SLOW_PATIENCE : PATIENCE;
    return settled(this.#pending, context.clock, part * collectMs);
  }

  /** Counts CPU time of a run, in seconds. */
  charge(cpuSeconds: number): void {
    this.#cpuSeconds += cpuSeconds;
  }

  /** Adds to the running collection what it has; tells what went wrong. */
  deliver(failures: CollectorFailure[]): void {
    const isSlow = this.planned.intervalMs > 0;
    if (isSlow) this.#options.table.repeat(this.#slots);
    if (this.#pending !== null && !isSlow) {
      const ms = this.#options.context.clock.monotonic() - this.#startedAt;
      this.#report(ms / 1000, new Error(`still running after ${Math.round(ms)} ms`), failures);
    } else if (this.#outcome !== null) {
      this.#report(this.#outcome.seconds, this.#outcome.error, failures);
    }
  }

  /** Ends it. A run under way comes to nothing. */
  close(): void {
    this.#closed = true;
    const opened = this.#opened;
    this.#opened = null;
    opened?.close();
  }

  #open(): OpenCollector {
    if (this.#opened) return this.#opened;
    const { planned, context, table } = this.#options;
    const { collector, key, instance, labels } = planned;
    const metrics = table.metricsOf(collector.name, { name: key, labels });
    const opened = planned.prepared.open({ ...context, metrics, instance });
    this.#opened = typeof opened === 'function' ? { collect: opened, close: () => {} } : opened;
    return this.#opened;
  }

  #isDue(time: number): boolean {
    const { intervalMs } = this.planned;
    if (intervalMs === 0) return true;
    const turn = Math.floor((time - this.#phase) / intervalMs);
    if (turn === this.#turn) return false;
    this.#turn = turn;
    return true;
  }

  #finish(error: unknown): void {
    this.#pending = null;
    if (this.#closed) return;
    const { context, table } = this.#options;
    this.#outcome = { seconds: (context.clock.monotonic() - this.#startedAt) / 1000, error };
    if (this.planned.intervalMs > 0) this.#slots = table.slotsOf(this.planned.key, this.#since);
  }

  #report(seconds: number, error: unknown, failures: CollectorFailure[]): void {
    this.#duration.set(seconds);
    this.#cpu.set(this.#cpuSeconds);
    this.#success.set(error === null ? 1 : 0);
    // Absence is a fact about the host, not trouble to report at every collection.
    if (error === null || error instanceof NoDataError) return;
    const { collector, instance } = this.planned;
    const message = error instanceof Error ? error.message : String(error);
    failures.push({ collector: collector.name, message, ...(instance !== '' && { instance }) });
  }
}
