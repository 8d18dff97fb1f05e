// A plugin at work, apart from how it is reached: describes itself, takes a configuration, collects.

import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { type Collector, NoDataError } from './collector.ts';
import {
  type CollectorConfig,
  type ConfigProblem,
  type PlannedCollector,
  type PluginConfig,
  planConfiguration,
} from './configuration.ts';
import { CpuMeter } from './cpu-meter.ts';
import { EventSources, type WantedSource } from './event-sources.ts';
import { EventStream } from './event-stream.ts';
import type { EventSource } from './events.ts';
import type {
  Capture,
  Inventory,
  PluginContext,
  PluginFunction,
  ProbeOutcome,
} from './features.ts';
import { Files, type Roots } from './files.ts';
import { ABSENT_HOST, type HostApi } from './host-api.ts';
import { InventoryBoard } from './inventory-board.ts';
import { MetricTable } from './metrics.ts';
import { RunningCollector } from './running-collector.ts';
import { type CollectorFailure, SampleBatchWriter } from './sample-batch.ts';

/** A probe that has not answered by then counts as failed. */
const PROBE_MS = 10_000;
/** An inventory that ended is started again after this long. */
const INVENTORY_AGAIN_MS = 60_000;
/** Hosts wait no longer than this for an answer, whatever the interval. */
const COLLECT_MS_MAX = 10_000;

export type { CollectorConfig, ConfigProblem, PluginConfig };

/** A plugin: collectors, and whatever else it has to offer. */
export interface Plugin {
  /** Short, as in 'os'. */
  readonly name: string;
  /** Free in form. */
  readonly version: string;
  readonly vendor?: string;
  readonly homepage?: string;
  readonly collectors: readonly Collector[];
  /** Events that belong to no collector. */
  readonly events?: EventSource<PluginContext>;
  /** Devices and other things of this host. */
  readonly inventory?: Inventory;
  /** What can be run on demand; see defineFunction. */
  readonly functions?: readonly PluginFunction[];
  /** Its part of an incident snapshot. */
  readonly capture?: Capture;
}

/** Declares a plugin. Names of collectors, and of functions, are unique. */
export function definePlugin(plugin: Plugin): Plugin {
  const { name, collectors, functions = [] } = plugin;
  for (const [what, all] of [
    ['collectors', collectors],
    ['functions', functions],
  ] as const) {
    const names = all.map(each => each.name);
    const twice = names.find((each, i) => names.indexOf(each) !== i);
    if (twice !== undefined) throw new Error(`plugin ${name} has two ${what} "${twice}"`);
  }
  return plugin;
}

/** What a probe found of one collector. */
export interface CollectorProbe {
  readonly name: string;
  readonly instance: string;
  readonly found: ProbeOutcome;
}

/** One plugin process's work. */
export class PluginRuntime {
  readonly plugin: Plugin;
  readonly table: MetricTable = new MetricTable();
  readonly events: EventStream;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #batch = new SampleBatchWriter();
  readonly #sources: EventSources;
  readonly #closed = new AbortController();
  readonly #inventory = new InventoryBoard();
  #inventoryRuns = false;
  #host: HostApi = ABSENT_HOST;
  readonly #cpu = new CpuMeter();
  #files: Files | null = null;
  #running: readonly RunningCollector[] = [];
  #collectMs = Infinity;
  #failures: readonly CollectorFailure[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(plugin: Plugin, tools: { readonly clock: Clock; readonly logger: Logger }) {
    this.plugin = plugin;
    this.#clock = tools.clock;
    this.#logger = tools.logger;
    this.events = new EventStream(tools.clock, count =>
      tools.logger.error('events were lost, for the host did not take them', { count }),
    );
    this.#sources = new EventSources(this.events, tools);
  }

  /** The host to ask; without one every question is refused. */
  set host(host: HostApi) {
    this.#host = host;
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

  /** Asks each collector that would run whether there is anything for it here; those that cannot tell are ok. */
  async probe(config: PluginConfig): Promise<readonly CollectorProbe[]> {
    const plan = planConfiguration(this.plugin, config);
    if ('problems' in plan) {
      const [{ path, message } = { path: '', message: '' }] = plan.problems;
      throw new Error(`probe: ${path} ${message}`);
    }
    const files = new Files(config.roots);
    try {
      return await Promise.all(plan.planned.map(planned => this.#probeOne(planned, files)));
    } finally {
      files.close();
    }
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

  /** Starts the sources of events, once there is a call that takes them. */
  startEvents(): void {
    this.#sources.start();
  }

  /** What there is, kept up to date from the first time this is asked for. */
  get inventory(): InventoryBoard {
    if (!this.#inventoryRuns && this.plugin.inventory) {
      this.#inventoryRuns = true;
      void this.#runInventory(this.plugin.inventory);
    }
    return this.#inventory;
  }

  /** What functions and captures work with. Throws before there is a configuration. */
  context(part: string): PluginContext {
    if (this.#files === null) throw new Error(`${part}: the plugin has not been configured`);
    return this.#contextOf(this.#files, this.#logger.child({ part }));
  }

  /** Whether what `service` names serves: "plugin", or "plugin/<collector>[/<instance>]"; null: unknown. */
  health(service: string): boolean | null {
    if (service === '' || service === 'plugin') return true;
    const running = this.#running.find(({ planned }) => `plugin/${planned.key}` === service);
    return running?.healthy ?? null;
  }

  /** Ends all collectors and sources of events, and closes all files. */
  close(): void {
    this.#closed.abort();
    this.#sources.want([]);
    this.#closeCollectors();
  }

  #closeCollectors(): void {
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
      const context = this.#contextOf(files, this.#logger.child({ collector: wanted.key }));
      return new RunningCollector({ planned: wanted, context, table: this.table });
    });
    for (const running of before.values()) running.close();
    this.#sources.want([
      ...planned.flatMap(one => this.#sourceOf(one, files)),
      ...this.#own(files),
    ]);
  }

  #sourceOf({ key, fingerprint, instance, prepared }: PlannedCollector, files: Files) {
    const { watch } = prepared;
    if (watch === null) return [];
    const context = { ...this.#contextOf(files, this.#logger.child({ collector: key })), instance };
    const source: WantedSource = {
      key,
      fingerprint: fingerprint + JSON.stringify(files.roots),
      watch: (watching, emit) => watch({ ...context, ...watching }, emit),
    };
    return [source];
  }

  /** The plugin's own source of events. */
  #own(files: Files): WantedSource[] {
    const { events } = this.plugin;
    if (!events) return [];
    const context = this.#contextOf(files, this.#logger);
    return [
      {
        key: '',
        fingerprint: JSON.stringify(files.roots),
        watch: (watching, emit) => events.watch({ ...context, ...watching }, emit),
      },
    ];
  }

  /** The files below `roots`; other roots are another host, where nothing goes on. */
  #filesAt(roots: Roots): Files {
    if (this.#files !== null) {
      if (JSON.stringify(this.#files.roots) === JSON.stringify(roots)) {
        // Those in use are opened again; those of collectors that end are not.
        this.#files.close();
        return this.#files;
      }
      this.#closeCollectors();
    }
    this.#files = new Files(roots);
    return this.#files;
  }

  #contextOf(files: Files, logger: Logger): PluginContext {
    // Asked for late, for the host may be there later than the collectors.
    const host: HostApi = {
      query: (text, time) => this.#host.query(text, time),
      log: (level, message, fields) => this.#host.log(level, message, fields),
      state: {
        get: key => this.#host.state.get(key),
        put: (key, value) => this.#host.state.put(key, value),
      },
    };
    return { files, logger, clock: this.#clock, host };
  }

  async #probeOne(planned: PlannedCollector, files: Files): Promise<CollectorProbe> {
    const { collector, instance, prepared, key } = planned;
    const answer = (found: ProbeOutcome) => ({ name: collector.name, instance, found });
    if (prepared.probe === null) return answer({ outcome: 'ok', message: 'it cannot tell' });
    const context = { ...this.#contextOf(files, this.#logger.child({ probe: key })), instance };
    const late = new AbortController();
    try {
      const found = await Promise.race([
        Promise.resolve(prepared.probe(context)),
        sleep(this.#clock, PROBE_MS, late.signal).then(() => {
          throw new Error(`no answer in ${PROBE_MS / 1000} s`);
        }),
      ]);
      return answer(found);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof NoDataError) return answer({ outcome: 'not-applicable', message });
      return answer({ outcome: 'error', message });
    } finally {
      late.abort();
    }
  }

  async #runInventory(inventory: Inventory): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        await inventory({ ...this.context('inventory'), signal }, this.#inventory);
      } catch (error) {
        this.#logger.warn('the inventory ended', { err: String(error) });
      }
      await sleep(this.#clock, INVENTORY_AGAIN_MS, signal).catch(() => {});
    }
  }

  async #collectAll(time: number): Promise<readonly CollectorFailure[]> {
    if (this.#files === null) throw new Error('collect: the plugin has not been configured');
    this.table.begin();
    const failures: CollectorFailure[] = [];
    const running = this.#running;
    const slow: Promise<void>[] = [];
    this.#cpu.start();
    for (const collector of running) {
      const pending = collector.begin(time, this.#collectMs);
      // Nothing else runs in this process until the collector waits or returns.
      collector.charge(this.#cpu.lap());
      if (pending) slow.push(pending);
    }
    if (slow.length > 0) await Promise.all(slow);
    for (const collector of running) collector.deliver(failures);
    return failures;
  }
}
