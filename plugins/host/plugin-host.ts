// All plugins of an agent, each supervised on its own: what one does spoils no other, and a change of one
// leaves the others alone.

import type { Clock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { type Actor, aborted } from '../../src/lifecycle/run-group.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Registry } from '../../src/telemetry/metrics.ts';
import { forgetPlugin, newHostMetrics } from './host-metrics.ts';
import type { HostOffers } from './host-offers.ts';
import type { PluginSession } from './plugin-session.ts';
import { type PluginSpec, specChange } from './plugin-spec.ts';
import type { PluginState } from './plugin-state.ts';
import type { PluginStatus } from './plugin-status.ts';
import { PluginSupervisor } from './plugin-supervisor.ts';
import { type ProcessTools, systemTools } from './process-tools.ts';
import { RejectedKeys } from './rejected-keys.ts';
import type { HostEvent, SampleSink } from './sink.ts';
import { SocketDirectory } from './socket-directory.ts';
import { StartGate } from './start-gate.ts';
import type { SupervisorTools } from './supervisor-tools.ts';

/** Plugins that start at the same time. */
const STARTS_MAX = 4;

export interface PluginHostOptions {
  /** Names are unique. */
  readonly plugins: readonly PluginSpec[];
  readonly sink: SampleSink;
  /** Called for everything worth telling an operator; the host logs none of it itself. */
  readonly onEvent: (event: HostEvent) => void;
  readonly clock: Clock;
  /** From 0 to below 1; spreads restarts. */
  readonly random: () => number;
  readonly logger: Logger;
  readonly registry: Registry;
  /** A directory of the agent alone, emptied at the start; its path leaves room for a socket's name. */
  readonly socketDir: string;
  /** The same for plugins that run as other users, who may enter all directories above it. */
  readonly sharedSocketDir?: string;
  /** Time between two collections. */
  readonly intervalMs: number;
  /** What plugins get and give beside samples. */
  readonly offers?: HostOffers;
  /** This machine where absent. */
  readonly processTools?: ProcessTools;
  /** Other times than the usual ones, for tests. */
  readonly watchMs?: number;
  readonly handshakeMs?: number;
}

interface Supervised {
  readonly supervisor: PluginSupervisor;
  readonly stop: AbortController;
  done: Promise<void>;
}

/** Runs plugins and collects from them. `run` may be called once. */
export class PluginHost implements Actor {
  readonly name: string = 'plugin host';
  readonly #tools: SupervisorTools;
  readonly #sockets: SocketDirectory;
  readonly #plugins = new Map<string, Supervised>();
  #running = false;
  #ended = false;
  #change: Promise<unknown> = Promise.resolve();

  constructor(options: PluginHostOptions) {
    const { plugins, registry, socketDir, sharedSocketDir = socketDir, ...rest } = options;
    const process = options.processTools ?? systemTools();
    this.#sockets = new SocketDirectory(socketDir, sharedSocketDir, process.uid);
    const metrics = newHostMetrics(registry, () => this.list());
    const gate = new StartGate(STARTS_MAX);
    this.#tools = { ...rest, process, sockets: this.#sockets, metrics, gate };
    for (const spec of plugins) this.#add(spec);
  }

  /** Starts all plugins; resolves once `signal` has aborted and all of them have ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#running = true;
    try {
      if (!signal.aborted) this.#sockets.open();
      for (const supervised of this.#plugins.values()) this.#start(supervised);
      await aborted(signal);
      this.#ended = true;
      for (const { stop } of this.#plugins.values()) stop.abort(signal.reason);
      await this.#change.catch(() => {});
      await Promise.all([...this.#plugins.values()].map(({ done }) => done));
    } finally {
      this.#sockets.close();
    }
  }

  /** Collects once from every plugin that runs; resolves when the sink has the samples. */
  async collect(): Promise<void> {
    await Promise.all([...this.#plugins.values()].map(({ supervisor }) => supervisor.collect()));
  }

  /** Where each plugin is in its life, by name. */
  states(): ReadonlyMap<string, PluginState> {
    return new Map([...this.#plugins].map(([name, { supervisor }]) => [name, supervisor.state]));
  }

  /** Every plugin, in the order of the configuration. */
  list(): readonly PluginStatus[] {
    return [...this.#plugins.values()].map(({ supervisor }) => supervisor.status());
  }

  /** What a plugin offers beside samples. Throws `not-found`, and `unavailable` while it does not run. */
  session(name: string): PluginSession {
    const found = this.#plugins.get(name);
    if (!found) {
      const known = [...this.#plugins.keys()].join(', ');
      throw new OutpostError('not-found', `ask plugin ${name}: there are: ${known}`);
    }
    const { session } = found.supervisor;
    if (session === null)
      throw new OutpostError('unavailable', `ask plugin ${name}: it does not run`);
    return session;
  }

  /** Starts a plugin anew, out of quarantine too. Throws `not-found`. */
  restart(name: string): void {
    const found = this.#plugins.get(name);
    if (!found) {
      const known = [...this.#plugins.keys()].join(', ');
      throw new OutpostError('not-found', `restart plugin ${name}: there are: ${known}`);
    }
    found.supervisor.restart();
  }

  /**
   * Makes `specs` the plugins there are, touching none that stays as it is: other options are put in force in
   * the process that runs; what else changes starts anew. Rejects with `bad-data` where a plugin refuses its
   * options, with RejectedKeys as the cause, and then everything is as it was.
   */
  reconfigure(specs: readonly PluginSpec[]): Promise<void> {
    const change = this.#change.catch(() => {}).then(() => this.#reconfigure(specs));
    this.#change = change;
    return change;
  }

  async #reconfigure(specs: readonly PluginSpec[]): Promise<void> {
    if (this.#ended) throw new OutpostError('unavailable', 'configure plugins: the agent stops');
    const configured = await this.#configureRunning(specs);
    const wanted = new Set(specs.map(({ name }) => name));
    const ends: Promise<void>[] = [];
    for (const [name, supervised] of this.#plugins) {
      if (!wanted.has(name)) ends.push(this.#remove(name, supervised));
    }
    for (const spec of specs) {
      const known = this.#plugins.get(spec.name);
      if (!known) this.#start(this.#add(spec));
      else if (!configured.has(spec.name) && specChange(known.supervisor.spec, spec) !== 'none') {
        known.supervisor.respecify(spec);
      }
    }
    await Promise.all(ends);
  }

  /** Puts other options in force where a process runs that takes them; all of them or none. */
  async #configureRunning(specs: readonly PluginSpec[]): Promise<ReadonlySet<string>> {
    const done = new Map<PluginSupervisor, PluginSpec>();
    const names = new Set<string>();
    for (const spec of specs) {
      const supervisor = this.#plugins.get(spec.name)?.supervisor;
      if (!supervisor?.isConfigurable || specChange(supervisor.spec, spec) !== 'configure')
        continue;
      const before = supervisor.spec;
      try {
        const [first] = await supervisor.configure(spec);
        if (first) throw rejection(spec.name, first.path, first.message);
      } catch (error) {
        for (const [other, old] of done)
          await other.configure(old).catch(() => other.respecify(old));
        throw error;
      }
      done.set(supervisor, before);
      names.add(spec.name);
    }
    return names;
  }

  #add(spec: PluginSpec): Supervised {
    const supervised = {
      supervisor: new PluginSupervisor(spec, this.#tools),
      stop: new AbortController(),
      done: Promise.resolve(),
    };
    this.#plugins.set(spec.name, supervised);
    return supervised;
  }

  #start(supervised: Supervised): void {
    if (this.#running) supervised.done = supervised.supervisor.run(supervised.stop.signal);
  }

  async #remove(name: string, { stop, done }: Supervised): Promise<void> {
    stop.abort(new DOMException('removed from the configuration', 'AbortError'));
    await done;
    this.#plugins.delete(name);
    forgetPlugin(this.#tools.metrics, name);
  }
}

function rejection(plugin: string, path: string, message: string): OutpostError {
  const place = path === '' ? `plugins.${plugin}` : `plugins.${plugin}.${path}`;
  const keys = ['plugins', plugin, ...path.split('.').filter(Boolean)];
  return new OutpostError('bad-data', `${place} ${message}`, { cause: new RejectedKeys(keys) });
}
