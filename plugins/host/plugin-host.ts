// All plugins of an agent, each supervised on its own: what one does spoils no other.

import type { Clock } from '../../src/lifecycle/clock.ts';
import { type Actor, aborted } from '../../src/lifecycle/run-group.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Registry } from '../../src/telemetry/metrics.ts';
import { newHostMetrics } from './host-metrics.ts';
import type { PluginSpec } from './plugin-spec.ts';
import type { PluginState } from './plugin-state.ts';
import { PluginSupervisor } from './plugin-supervisor.ts';
import type { HostEvent, SampleSink } from './sink.ts';

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
  /** A directory of the agent alone (0700); its path leaves room for a socket's name. */
  readonly socketDir: string;
  /** Time between two collections. */
  readonly intervalMs: number;
}

/** Runs plugins and collects from them. `run` may be called once. */
export class PluginHost implements Actor {
  readonly name: string = 'plugin host';
  readonly #supervisors: readonly PluginSupervisor[];

  constructor(options: PluginHostOptions) {
    const { plugins, registry, ...rest } = options;
    const metrics = newHostMetrics(registry, () =>
      this.#supervisors.map(({ spec, state, seriesCount }) => ({
        name: spec.name,
        state,
        seriesCount,
      })),
    );
    this.#supervisors = plugins.map(spec => new PluginSupervisor(spec, { ...rest, metrics }));
  }

  /** Starts all plugins; resolves once `signal` has aborted and all of them have ended. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      aborted(signal),
      ...this.#supervisors.map(supervisor => supervisor.run(signal)),
    ]);
  }

  /** Collects once from every plugin that runs; resolves when the sink has the samples. */
  async collect(): Promise<void> {
    await Promise.all(this.#supervisors.map(supervisor => supervisor.collect()));
  }

  /** Where each plugin is in its life, by name. */
  states(): ReadonlyMap<string, PluginState> {
    return new Map(this.#supervisors.map(({ spec, state }) => [spec.name, state]));
  }
}
