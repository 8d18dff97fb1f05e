// A plugin at work, apart from how it is reached: describes itself, takes a configuration, collects.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Collect, Collector, PreparedCollector } from './collector.ts';
import { NoDataError } from './collector.ts';
import { Files, type Roots } from './files.ts';
import type { Series } from './metrics.ts';
import { MetricTable } from './metrics.ts';
import { type CollectorFailure, SampleBatchWriter } from './sample-batch.ts';

/** A plugin as its author declares it. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly collectors: readonly Collector[];
}

/** Declares a plugin. Collector names are unique. */
export function definePlugin(plugin: Plugin): Plugin {
  const names = plugin.collectors.map(collector => collector.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`plugin ${plugin.name} has two collectors "${twice}"`);
  return plugin;
}

/** What an operator sets for one collector. */
export interface CollectorConfig {
  readonly enabled?: boolean;
  /** Options as written; checked against the collector's declaration. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A configuration of the whole plugin. */
export interface PluginConfig {
  readonly roots: Roots;
  /** By collector name; a collector that is not mentioned has its defaults. */
  readonly collectors: Readonly<Record<string, CollectorConfig>>;
}

/** A mistake in a configuration. */
export interface ConfigProblem {
  /** As in 'collectors.cpu.options.guest'. */
  readonly path: string;
  readonly message: string;
}

interface Running {
  readonly name: string;
  readonly collect: Collect;
  readonly duration: Series;
  readonly success: Series;
}

/** One plugin process's work. */
export class PluginRuntime {
  readonly plugin: Plugin;
  readonly table: MetricTable = new MetricTable();
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #batch = new SampleBatchWriter();
  #files: Files | null = null;
  #running: Running[] = [];
  #failures: readonly CollectorFailure[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(plugin: Plugin, tools: { readonly clock: Clock; readonly logger: Logger }) {
    this.plugin = plugin;
    this.#clock = tools.clock;
    this.#logger = tools.logger;
  }

  /** Puts a configuration in force, or says what is wrong with it and changes nothing. */
  configure(config: PluginConfig): readonly ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    const prepared = new Map<Collector, PreparedCollector>();
    for (const name of Object.keys(config.collectors)) {
      if (this.plugin.collectors.some(collector => collector.name === name)) continue;
      const known = this.plugin.collectors.map(collector => collector.name).join(', ');
      problems.push({
        path: `collectors.${name}`,
        message: `is not a collector of plugin ${this.plugin.name}; it has: ${known}`,
      });
    }
    for (const collector of this.plugin.collectors) {
      const written = config.collectors[collector.name];
      const outcome = collector.prepare(written?.options ?? {});
      if ('problems' in outcome) {
        for (const { option, message } of outcome.problems) {
          problems.push({ path: `collectors.${collector.name}.options.${option}`, message });
        }
      } else if (written?.enabled ?? collector.defaultEnabled) prepared.set(collector, outcome);
    }
    if (problems.length === 0) this.#open(config.roots, prepared);
    return problems;
  }

  /**
   * Runs every enabled collector once and returns the encoded answer for a peer that knows the definitions
   * up to `knownSeq`. Waits for the collection before it. Rejects when there is no configuration yet.
   */
  collect(time: number, knownSeq: number): Promise<Uint8Array> {
    const run = async (): Promise<Uint8Array> => {
      this.#failures = await this.#collectAll(time);
      return this.#batch.encode(this.table, knownSeq, this.#failures);
    };
    const result = this.#last.then(run, run);
    this.#last = result;
    return result;
  }

  /** What went wrong in the last collection. */
  get failures(): readonly CollectorFailure[] {
    return this.#failures;
  }

  /** Closes all files. */
  close(): void {
    this.#files?.close();
    this.#files = null;
    this.#running = [];
  }

  #open(roots: Roots, prepared: ReadonlyMap<Collector, PreparedCollector>): void {
    this.close();
    const files = new Files(roots);
    this.#files = files;
    this.#running = [...prepared].map(([{ name }, collector]) => {
      const metrics = this.table.metricsOf(name);
      const logger = this.#logger.child({ collector: name });
      return {
        name,
        collect: collector.open({ metrics, files, clock: this.#clock, logger }),
        duration: metrics
          .gauge({
            name: 'node_scrape_collector_duration_seconds',
            help: 'Time one run of the collector took.',
            unit: 'seconds',
            labels: ['collector'],
          })
          .with(name),
        success: metrics
          .gauge({
            name: 'node_scrape_collector_success',
            help: 'Whether the last run of the collector brought what it should.',
            labels: ['collector'],
          })
          .with(name),
      };
    });
  }

  async #collectAll(time: number): Promise<readonly CollectorFailure[]> {
    if (this.#files === null) throw new Error('collect: the plugin has not been configured');
    this.table.begin();
    const failures: CollectorFailure[] = [];
    const slow: Promise<void>[] = [];
    for (const running of this.#running) {
      const started = this.#clock.monotonic();
      try {
        const pending = running.collect(time);
        if (pending) slow.push(this.#settle(running, started, pending, failures));
        else this.#done(running, started, true);
      } catch (error) {
        this.#failed(running, started, error, failures);
      }
    }
    if (slow.length > 0) await Promise.all(slow);
    return failures;
  }

  async #settle(
    running: Running,
    started: number,
    pending: Promise<void>,
    failures: CollectorFailure[],
  ): Promise<void> {
    try {
      await pending;
      this.#done(running, started, true);
    } catch (error) {
      this.#failed(running, started, error, failures);
    }
  }

  #failed(running: Running, started: number, error: unknown, failures: CollectorFailure[]): void {
    this.#done(running, started, false);
    // Absence is a fact about the host, not trouble to report at every collection.
    if (error instanceof NoDataError) return;
    failures.push({
      collector: running.name,
      message: error instanceof Error ? error.message : String(error),
    });
  }

  #done(running: Running, started: number, success: boolean): void {
    running.duration.set((this.#clock.monotonic() - started) / 1000);
    running.success.set(success ? 1 : 0);
  }
}
