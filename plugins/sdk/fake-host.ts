// A host for unit tests: runs a plugin's collectors in the test's own process and shows what they brought
// as text exposition, sorted, so that an expectation can be written down.

import type { Clock } from '../../src/lifecycle/clock.ts';
import { sleep, systemClock } from '../../src/lifecycle/clock.ts';
import { type LogLevel, silentLogger } from '../../src/telemetry/logger.ts';
import type { CollectorConfig, PluginConfig } from './configuration.ts';
import type { EventCall, SentEvent } from './event-stream.ts';
import type { Entity } from './features.ts';
import { type Roots, SYSTEM_ROOTS } from './files.ts';
import type { HostApi, HostSample } from './host-api.ts';
import type { FamilyDefinition, Series } from './metrics.ts';
import { type CollectorProbe, type Plugin, PluginRuntime } from './runtime.ts';
import type { CollectorFailure } from './sample-batch.ts';

/** Where and how to run the plugin. */
export interface FakeHostOptions {
  readonly roots?: Partial<Roots>;
  /** By collector name. */
  readonly collectors?: Readonly<Record<string, CollectorConfig>>;
  /** Run these only. */
  readonly only?: readonly string[];
  readonly clock?: Clock;
  /** Answers of `context.host.query`, by query; others are refused. */
  readonly answers?: Readonly<Record<string, readonly HostSample[]>>;
}

/** Lines that a plugin logged on its host. */
export interface LoggedLine {
  readonly level: LogLevel;
  readonly message: string;
}

/** What runs cost differs from one to the next. */
const COSTS: readonly string[] = [
  'node_scrape_collector_duration_seconds',
  'node_scrape_collector_cpu_seconds_total',
];
const ANY_TIME = 1_700_000_000_000;

/** Configures a plugin and collects on demand. Throws on a configuration the plugin refuses. */
export class FakeHost {
  readonly #runtime: PluginRuntime;
  readonly #table: PluginRuntime['table'];
  readonly #config: PluginConfig;
  #failures: readonly CollectorFailure[] = [];
  #events: EventCall | null = null;
  #eventsKept: SentEvent[] = [];
  #onEvent: () => void = () => {};
  /** What the plugin has put into its host's state. */
  readonly state = new Map<string, Uint8Array>();
  /** What the plugin has logged on its host. */
  readonly logged: LoggedLine[] = [];

  constructor(plugin: Plugin, options: FakeHostOptions = {}) {
    const clock = options.clock ?? systemClock;
    this.#runtime = new PluginRuntime(plugin, { clock, logger: silentLogger });
    this.#table = this.#runtime.table;
    const collectors: Record<string, CollectorConfig> = { ...options.collectors };
    if (options.only) {
      for (const { name } of plugin.collectors) {
        collectors[name] = { ...collectors[name], enabled: options.only.includes(name) };
      }
    }
    const roots = { ...SYSTEM_ROOTS, ...options.roots };
    this.#config = { roots, collectors };
    this.#runtime.host = this.#services(options.answers ?? {});
    const problems = this.#runtime.configure(this.#config);
    if (problems.length > 0) {
      throw new Error(problems.map(({ path, message }) => `${path} ${message}`).join('; '));
    }
  }

  /**
   * Collects once and returns the exposition: families by name, series in label order. The collectors' own
   * duration is left out, for it differs from run to run; their success is not.
   */
  async collect(time: number = ANY_TIME): Promise<string> {
    await this.#runtime.collect(time, 0);
    this.#failures = this.#runtime.failures;
    const families = new Map<FamilyDefinition, string[]>();
    for (const [slot, series] of this.#table.series.entries()) {
      if (!series || !this.#table.isCurrent(slot)) continue;
      const family = series.family.definition;
      if (COSTS.includes(family.name)) continue;
      const lines = families.get(family) ?? [];
      lines.push(sampleLine(series, this.#table.values[slot]!));
      families.set(family, lines);
    }
    const names = [...families.keys()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return names.map(family => familyText(family, families.get(family)!)).join('');
  }

  /** What each collector that would run says it finds here. */
  probe(): Promise<readonly CollectorProbe[]> {
    return this.#runtime.probe(this.#config);
  }

  /**
   * Waits until at least `count` events have come since the host was made, at most `patienceMs`, and returns
   * them. The first call starts the sources, after `resumeAfter`. Nothing is acknowledged.
   */
  async events(
    count: number,
    { resumeAfter = '', patienceMs = 5_000 } = {},
  ): Promise<readonly SentEvent[]> {
    this.#events ??= this.#openEvents(resumeAfter);
    const late = new AbortController();
    const patience = sleep(systemClock, patienceMs, late.signal).then(
      () => true,
      () => true,
    );
    while (this.#eventsKept.length < count) {
      const more = new Promise<boolean>(resolve => {
        this.#onEvent = () => resolve(false);
      });
      if (await Promise.race([patience, more])) break;
    }
    late.abort();
    return this.#eventsKept;
  }

  /** Acknowledges events as a host does that has kept them, up to this one. */
  acknowledge({ seq }: SentEvent): void {
    if (this.#events) this.#runtime.events.acknowledge(this.#events, seq);
  }

  /** Breaks the call for events and opens another, as a host does after a restart. */
  reopenEvents(resumeAfter: string): void {
    this.#eventsKept = [];
    this.#events = this.#openEvents(resumeAfter);
  }

  /** Runs a function; resolves with its rows. Rejects with what is wrong with the arguments. */
  async call(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown[]> {
    const wanted = this.#runtime.plugin.functions?.find(each => each.name === name);
    if (!wanted) throw new Error(`there is no function "${name}"`);
    const prepared = wanted.prepare(args);
    if ('problems' in prepared) {
      throw new Error(prepared.problems.map(p => `${p.option} ${p.message}`).join('; '));
    }
    const rows: unknown[] = [];
    const { signal } = new AbortController();
    await prepared.run(
      { ...this.#runtime.context(name), signal },
      { row: async value => void rows.push(value), progress: () => {} },
    );
    return rows;
  }

  /** The plugin's part of a snapshot: texts by file name. */
  async capture(trigger = 'test', bytesMax = 1024 * 1024): Promise<Record<string, string>> {
    const { capture } = this.#runtime.plugin;
    if (!capture) throw new Error('the plugin captures nothing');
    const blobs: Record<string, string> = {};
    const { signal } = new AbortController();
    const context = { ...this.#runtime.context('capture'), trigger, bytesMax, signal };
    await capture(context, async (name, _, data) => {
      const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
      blobs[name] = (blobs[name] ?? '') + text;
    });
    return blobs;
  }

  /** What the inventory holds once it says it is complete. */
  inventory(): Promise<readonly Entity[]> {
    const entities = new Map<string, Entity>();
    return new Promise(resolve => {
      this.#runtime.inventory.follow(({ present, gone, complete }) => {
        for (const entity of present) entities.set(entity.id, entity);
        for (const id of gone) entities.delete(id);
        if (complete) resolve([...entities.values()]);
      });
    });
  }

  /** What went wrong in the last collection. */
  get failures(): readonly CollectorFailure[] {
    return this.#failures;
  }

  close(): void {
    this.#runtime.close();
  }

  #openEvents(resumeAfter: string): EventCall {
    const call: EventCall = {
      resumeAfter,
      unackedMax: 0,
      send: events => {
        this.#eventsKept.push(...events.map(event => ({ ...event })));
        this.#onEvent();
      },
    };
    this.#runtime.events.open(call);
    this.#runtime.startEvents();
    return call;
  }

  #services(answers: NonNullable<FakeHostOptions['answers']>): HostApi {
    return {
      query: async text => {
        const answer = answers[text];
        if (!answer) throw new Error(`the fake host has no answer to: ${text}`);
        return answer;
      },
      log: async (level, message) => void this.logged.push({ level, message }),
      state: {
        get: async key => this.state.get(key) ?? null,
        put: async (key, value) => {
          if (value === null) this.state.delete(key);
          else this.state.set(key, typeof value === 'string' ? Buffer.from(value) : value);
        },
      },
    };
  }
}

function familyText(family: FamilyDefinition, lines: readonly string[]): string {
  const type = family.type === 'unknown' ? 'untyped' : family.type;
  return `# TYPE ${family.name} ${type}\n${[...lines].sort().join('\n')}\n`;
}

function sampleLine(series: Series, value: number): string {
  const labels = [...series.labels].map(([name, text]) => `${name}=${JSON.stringify(text)}`);
  const braces = labels.length === 0 ? '' : `{${labels.join(',')}}`;
  return `${series.family.name}${series.family.suffix}${braces} ${valueText(value)}`;
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
