// A plugin at work, apart from how it is reached: describes itself, takes a configuration, collects.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Collector } from './collector.ts';
import {
  type CollectorConfig,
  type ConfigProblem,
  type PlannedCollector,
  type PluginConfig,
  planConfiguration,
} from './configuration.ts';
import { Files, type Roots } from './files.ts';
import { MetricTable } from './metrics.ts';
import { RunningCollector } from './running-collector.ts';
import { type CollectorFailure, SampleBatchWriter } from './sample-batch.ts';

/** Hosts wait no longer than this for an answer, whatever the interval. */
const COLLECT_MS_MAX = 10_000;

/** A plugin as its author declares it. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly collectors: readonly Collector[];
}

export type { CollectorConfig, ConfigProblem, PluginConfig };

/** Declares a plugin. Collector names are unique. */
export function definePlugin(plugin: Plugin): Plugin {
  const names = plugin.collectors.map(collector => collector.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`plugin ${plugin.name} has two collectors "${twice}"`);
  return plugin;
}

/** One plugin process's work. */
export class PluginRuntime {
  readonly plugin: Plugin;
  readonly table: MetricTable = new MetricTable();
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #batch = new SampleBatchWriter();
  #files: Files | null = null;
  #running: readonly RunningCollector[] = [];
  #collectMs = Infinity;
  #failures: readonly CollectorFailure[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(plugin: Plugin, tools: { readonly clock: Clock; readonly logger: Logger }) {
    this.plugin = plugin;
    this.#clock = tools.clock;
    this.#logger = tools.logger;
  }

  /**
   * Puts a configuration in force, or says what is wrong with it and changes nothing. Collectors for which
   * nothing changes go on undisturbed.
   */
  configure(config: PluginConfig): readonly ConfigProblem[] {
    const plan = planConfiguration(this.plugin, config);
    if ('problems' in plan) return plan.problems;
    this.#apply(config, plan.planned);
    return [];
  }

  /** Says what `configure` would, and changes nothing. */
  validate(config: PluginConfig): readonly ConfigProblem[] {
    const plan = planConfiguration(this.plugin, config);
    return 'problems' in plan ? plan.problems : [];
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

  /** Ends all collectors and closes all files. */
  close(): void {
    for (const running of this.#running) running.close();
    this.#running = [];
    this.#files?.close();
    this.#files = null;
  }

  #apply(config: PluginConfig, planned: readonly PlannedCollector[]): void {
    const files = this.#filesAt(config.roots);
    const before = new Map(this.#running.map(running => [running.planned.key, running]));
    this.#collectMs = config.intervalMs ? Math.min(config.intervalMs, COLLECT_MS_MAX) : Infinity;
    this.#running = planned.map(wanted => {
      const known = before.get(wanted.key);
      if (known?.planned.fingerprint === wanted.fingerprint) {
        before.delete(wanted.key);
        return known;
      }
      known?.close();
      before.delete(wanted.key);
      const logger = this.#logger.child({ collector: wanted.key });
      const context = { files, clock: this.#clock, logger };
      return new RunningCollector({ planned: wanted, context, table: this.table });
    });
    for (const running of before.values()) running.close();
  }

  /** The files below `roots`; other roots are another host, where nothing goes on. */
  #filesAt(roots: Roots): Files {
    if (this.#files !== null) {
      if (JSON.stringify(this.#files.roots) === JSON.stringify(roots)) {
        // Those in use are opened again; those of collectors that end are not.
        this.#files.close();
        return this.#files;
      }
      this.close();
    }
    this.#files = new Files(roots);
    return this.#files;
  }

  async #collectAll(time: number): Promise<readonly CollectorFailure[]> {
    if (this.#files === null) throw new Error('collect: the plugin has not been configured');
    this.table.begin();
    const failures: CollectorFailure[] = [];
    const running = this.#running;
    const slow: Promise<void>[] = [];
    for (const collector of running) {
      const pending = collector.begin(time, this.#collectMs);
      if (pending) slow.push(pending);
    }
    if (slow.length > 0) await Promise.all(slow);
    for (const collector of running) collector.deliver(failures);
    return failures;
  }
}
