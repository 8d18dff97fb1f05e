// Keeps one plugin running: lets it live, and when a life ends decides when the next begins. A change of its
// specification, or its operator, ends any wait.

import { sleep } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { ConfigurationError } from './connection.ts';
import { type Ending, PluginLife } from './plugin-life.ts';
import { PluginReport } from './plugin-report.ts';
import type { PluginSession } from './plugin-session.ts';
import { limitsOf, type PluginSpec } from './plugin-spec.ts';
import { nextState, type PluginEvent, type PluginState } from './plugin-state.ts';
import { collectorStatuses, type PluginStatus } from './plugin-status.ts';
import { NO_RESTARTS, planRestart, QUARANTINE, type RestartHistory } from './restart-policy.ts';
import type { SupervisorTools } from './supervisor-tools.ts';

/** Supervises one plugin. `run` may be called once. */
export class PluginSupervisor {
  readonly #tools: SupervisorTools;
  readonly #report: PluginReport;
  #spec: PluginSpec;
  #state: PluginState = 'discovered';
  #since: number;
  #restarts = 0;
  #version = '';
  #life: PluginLife | null = null;
  /** Ends the life or the wait that is under way, and forgives what was before. */
  #again = new AbortController();

  constructor(spec: PluginSpec, tools: SupervisorTools) {
    this.#spec = spec;
    this.#tools = tools;
    this.#since = tools.clock.now();
    this.#report = new PluginReport({ ...tools, plugin: spec.name });
  }

  get spec(): PluginSpec {
    return this.#spec;
  }

  get state(): PluginState {
    return this.#state;
  }

  /** Everything there is to know about the plugin now. */
  status(): PluginStatus {
    const life = this.#life;
    const serves = life?.loop ? life : null;
    return {
      name: this.#spec.name,
      state: this.#state,
      since: this.#since,
      pid: life?.process && !life.process.hasExited ? life.process.pid : null,
      version: life?.description?.version.slice(0, 100) ?? this.#version,
      command: [this.#spec.command, ...(this.#spec.args ?? [])],
      restarts: this.#restarts,
      lastError: this.#report.lastError,
      seriesCount: serves?.intake?.seriesCount ?? 0,
      memoryBytes: serves?.usage.usage?.memoryBytes ?? 0,
      cpuCores: serves?.usage.cores ?? 0,
      cpuSeconds: serves?.usage.usage?.cpuSeconds ?? 0,
      stretch: serves?.loop?.stretch ?? 1,
      limits: limitsOf(this.#spec),
      collectors: () => collectorStatuses(this.#spec, life),
    };
  }

  /** What goes on with the plugin beside collections; null while it does not run. */
  get session(): PluginSession | null {
    return this.#life?.session ?? null;
  }

  /** Collects once beside the grid, where the plugin runs; resolves when the sink has the samples. */
  async collect(): Promise<void> {
    await this.#life?.loop?.collect();
  }

  /** Starts the plugin anew, whatever it does or waits for, unless its process is stuck. */
  restart(): void {
    this.#again.abort(new DOMException('asked to restart', 'AbortError'));
  }

  /** True where the plugin can take other collectors and options in the process it has. */
  get isConfigurable(): boolean {
    return this.#life?.loop != null;
  }

  /** As PluginLife's; the specification is the plugin's from then on. */
  async configure(spec: PluginSpec): Promise<readonly ConfigurationError[]> {
    if (!this.#life) {
      throw new OutpostError('unavailable', `configure plugin ${spec.name}: it does not run`);
    }
    const errors = await this.#life.configure(spec);
    if (errors.length === 0) {
      this.#spec = spec;
      this.#report.tell(
        'plugin.configured',
        'info',
        `plugin ${spec.name} has another configuration`,
      );
    }
    return errors;
  }

  /** Takes a specification that counts from the next start on, and starts. */
  respecify(spec: PluginSpec): void {
    this.#spec = spec;
    this.restart();
  }

  /** Runs the plugin until `signal` aborts; then ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#tools;
    let history = NO_RESTARTS;
    for (;;) {
      this.#again = new AbortController();
      const round = AbortSignal.any([signal, this.#again.signal]);
      const started = clock.monotonic();
      const ending = await this.#live(round, signal);
      if (signal.aborted) break;
      history = await this.#wait(ending, { history, uptimeMs: clock.monotonic() - started, round });
      if (signal.aborted) break;
      this.#move('retry');
      this.#restarts++;
      metrics.restarts.with(this.#spec.name).inc();
    }
    if (this.#state !== 'draining' && this.#state !== 'stuck') this.#move('stop');
    this.#move('end');
  }

  async #live(signal: AbortSignal, final: AbortSignal): Promise<Ending> {
    const life = new PluginLife({
      spec: this.#spec,
      tools: this.#tools,
      report: this.#report,
      move: event => this.#move(event),
      final,
    });
    this.#life = life;
    try {
      return await life.run(signal);
    } finally {
      this.#version = life.description?.version.slice(0, 100) ?? this.#version;
      this.#life = null;
    }
  }

  /** Waits as long as the ending asks for; returns what to remember of it. */
  async #wait(ending: Ending, { history, uptimeMs, round }: WaitOptions): Promise<RestartHistory> {
    const { clock, random } = this.#tools;
    this.#move('exit');
    if (round.aborted) return NO_RESTARTS;
    if (ending === 'declined') {
      this.#move('decline');
      await new Promise<void>(settle => round.addEventListener('abort', () => settle()));
      return NO_RESTARTS;
    }
    const plan =
      ending === 'refused'
        ? QUARANTINE
        : planRestart(history, clock.monotonic(), uptimeMs, random());
    if (plan.kind === 'quarantine') this.#quarantine(ending, plan.delayMs);
    await sleep(clock, plan.delayMs, round).catch(() => {});
    return round.aborted ? NO_RESTARTS : plan.history;
  }

  #quarantine(ending: Ending, delayMs: number): void {
    this.#move('give-up');
    const { name } = this.#spec;
    const why =
      ending === 'refused' ? 'is refused or refuses its configuration' : 'ends again and again';
    const wait = `${Math.round(delayMs / 60_000)} min`;
    const message = `plugin ${name} ${why} and is left alone for ${wait}`;
    // The event before says what is wrong; this one only what follows from it.
    const { lastError } = this.#report;
    this.#report.tell('plugin.quarantined', 'error', message);
    if (lastError !== '') this.#report.lastError = lastError;
  }

  #move(event: PluginEvent): void {
    // A collection or miss under way when the agent stops changes nothing any more.
    if (this.#state === 'draining' && !['end', 'hang', 'exit'].includes(event)) return;
    const before = this.#state;
    this.#state = nextState(before, event);
    if (this.#state === before) return;
    this.#since = this.#tools.clock.now();
    this.#report.logger.debug('plugin changes state', { from: before, to: this.#state });
  }
}

interface WaitOptions {
  readonly history: RestartHistory;
  readonly uptimeMs: number;
  /** Aborts when the wait is to end early. */
  readonly round: AbortSignal;
}
