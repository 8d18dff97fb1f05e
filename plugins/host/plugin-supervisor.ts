// Keeps one plugin running: starts it, configures it, lets it be collected from, and when it ends or hangs
// marks its series stale, says so, and starts it again later.

import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { CollectionLoop } from './collection-loop.ts';
import { type Configuration, connectPlugin, type PluginConnection } from './connection.ts';
import type { HostMetrics } from './host-metrics.ts';
import { PluginLog } from './plugin-log.ts';
import { exitText, GRACE_MS, launchPlugin, type PluginProcess } from './plugin-process.ts';
import { type PluginSpec, SERIES_MAX } from './plugin-spec.ts';
import { nextState, type PluginEvent, type PluginState } from './plugin-state.ts';
import { NO_RESTARTS, planRestart, QUARANTINE } from './restart-policy.ts';
import { type DropReason, SeriesIntake } from './series-intake.ts';
import type { HostEvent, SampleSink } from './sink.ts';

/** The same trouble of a plugin is told again after this long. */
const EVENT_REPEAT_MS = 10 * 60_000;
/** A process that was killed and is still there hangs in the kernel. */
const STUCK_AFTER_MS = 10_000;

export interface SupervisorTools {
  readonly sink: SampleSink;
  readonly onEvent: (event: HostEvent) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: HostMetrics;
  readonly socketDir: string;
  readonly intervalMs: number;
}

/** How one life of the plugin ended. */
type Ending = 'exited' | 'refused' | 'stopped';

/** Supervises one plugin. `run` may be called once. */
export class PluginSupervisor {
  readonly spec: PluginSpec;
  readonly #tools: SupervisorTools;
  readonly #logger: Logger;
  readonly #toldAt = new Map<string, number>();
  #state: PluginState = 'starting';
  #loop: CollectionLoop | null = null;
  #intake: SeriesIntake | null = null;

  constructor(spec: PluginSpec, tools: SupervisorTools) {
    this.spec = spec;
    this.#tools = tools;
    this.#logger = tools.logger.child({ plugin: spec.name });
  }

  get state(): PluginState {
    return this.#state;
  }

  /** Series the plugin has defined. */
  get seriesCount(): number {
    return this.#intake?.seriesCount ?? 0;
  }

  /** Collects once beside the grid, where the plugin runs; resolves when the sink has the samples. */
  async collect(): Promise<void> {
    await this.#loop?.collect();
  }

  /** Runs the plugin until `signal` aborts; then ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, metrics } = this.#tools;
    let history = NO_RESTARTS;
    for (;;) {
      const started = clock.monotonic();
      const ending = await this.#live(signal);
      if (ending === 'stopped') break;
      const now = clock.monotonic();
      const plan =
        ending === 'refused' ? QUARANTINE : planRestart(history, now, now - started, random());
      const { delayMs } = plan;
      history = plan.history;
      this.#move('exit');
      if (plan.kind === 'quarantine') this.#quarantine(ending, delayMs);
      await sleep(clock, delayMs, signal).catch(() => {});
      if (signal.aborted) break;
      this.#move('retry');
      metrics.restarts.with(this.spec.name).inc();
    }
    if (this.#state !== 'draining') this.#move('stop');
    this.#move('end');
  }

  async #live(signal: AbortSignal): Promise<Ending> {
    const { clock, metrics, socketDir } = this.#tools;
    if (signal.aborted) return 'stopped';
    const log = new PluginLog(
      this.#logger,
      () => clock.monotonic(),
      () => metrics.logLinesDropped.with(this.spec.name).inc(),
    );
    let process: PluginProcess;
    try {
      process = await launchPlugin(this.spec, { clock, log, socketDir, signal });
    } catch (error) {
      if (signal.aborted) return 'stopped';
      this.#tell('plugin.start_failed', 'warn', OutpostError.from(error).message);
      return 'exited';
    }
    const started = clock.monotonic();
    const gone = new AbortController();
    process.exited.then(exit => gone.abort(exit));
    const ending = await this.#serve(process, gone.signal, signal);
    const exit = await process.exited;
    if (ending !== 'stopped') {
      const uptimeMs = Math.round(clock.monotonic() - started);
      this.#tell('plugin.exited', 'warn', `plugin ${this.spec.name} ended: ${exitText(exit)}`, {
        code: String(exit.code ?? ''),
        signal: exit.signal ?? '',
        uptime_ms: String(uptimeMs),
        stderr: log.tail,
      });
    }
    return ending;
  }

  /** From the handshake to the end of the process. */
  async #serve(process: PluginProcess, gone: AbortSignal, signal: AbortSignal): Promise<Ending> {
    const { clock } = this.#tools;
    let connection: PluginConnection | null = null;
    try {
      connection = connectPlugin(process.handshake, clock);
      if (!(await this.#introduce(connection))) {
        await this.#end(process);
        return signal.aborted ? 'stopped' : 'refused';
      }
      await this.#collectUntil(connection, process, AbortSignal.any([gone, signal]));
      if (!signal.aborted) return 'exited';
      this.#move('stop');
      await connection.shutdown(GRACE_MS);
      await process.endWithin(GRACE_MS);
      return 'stopped';
    } catch (error) {
      if (!gone.aborted) {
        this.#tell('plugin.start_failed', 'warn', OutpostError.from(error).message);
        await this.#end(process);
      }
      return signal.aborted ? 'stopped' : 'exited';
    } finally {
      connection?.close();
    }
  }

  /** Describe and Configure; false where the plugin refuses its configuration. */
  async #introduce(connection: PluginConnection): Promise<boolean> {
    const { name } = this.spec;
    const description = await connection.describe();
    this.#move('connect');
    const errors = await connection.configure(this.#configuration());
    if (errors.length > 0) {
      const texts = errors.slice(0, 10).map(({ path, message }) => `${path} ${message}`.trim());
      const message = `plugin ${name} refuses its configuration: ${texts.join('; ')}`;
      this.#tell('plugin.config_rejected', 'error', message.slice(0, 2000));
      return false;
    }
    this.#move('configure');
    const version = description.version.slice(0, 100);
    this.#tell('plugin.started', 'info', `plugin ${name} ${version} runs`, { version });
    return true;
  }

  #configuration(): Configuration {
    const { collectors = {}, roots = {}, seriesMax = SERIES_MAX } = this.spec;
    return {
      intervalMs: this.#tools.intervalMs,
      maxSeries: seriesMax,
      roots,
      collectors: Object.entries(collectors).map(([name, { enabled, options }]) => ({
        name,
        options: options ? JSON.stringify(options) : '',
        ...(enabled !== undefined && { enabled }),
      })),
    };
  }

  async #collectUntil(
    connection: PluginConnection,
    process: PluginProcess,
    ended: AbortSignal,
  ): Promise<void> {
    const { sink, clock, metrics, intervalMs } = this.#tools;
    const plugin = this.spec.name;
    const intake = new SeriesIntake({
      plugin,
      sink,
      seriesMax: this.spec.seriesMax ?? SERIES_MAX,
      onDropped: (reason, count, example) => this.#dropped(reason, count, example),
    });
    const loop = new CollectionLoop({
      plugin,
      connection,
      intake,
      intervalMs,
      clock,
      metrics,
      logger: this.#logger,
      onCollected: () => this.#move('collect'),
      onMissed: error => {
        if (ended.aborted) return;
        this.#move('miss');
        this.#logger.warn('collection missed', { err: error.message });
      },
    });
    this.#intake = intake;
    this.#loop = loop;
    try {
      if ((await loop.run(ended)) === 'hung') {
        this.#tell('plugin.hung', 'warn', `plugin ${plugin} does not answer and is ended`);
        await this.#end(process);
      }
    } finally {
      this.#loop = null;
      this.#intake = null;
      await intake
        .close(clock.now())
        .catch(error => this.#logger.error('series were not ended', { err: String(error) }));
    }
  }

  /** Ends a process that is not to live on; tells when not even SIGKILL ends it. */
  async #end(process: PluginProcess): Promise<void> {
    const cancel = this.#tools.clock.after(STUCK_AFTER_MS, () => {
      const message = `plugin ${this.spec.name} hangs in the kernel and cannot be killed`;
      this.#tell('plugin.stuck', 'error', message, { pid: String(process.pid) });
    });
    await process.terminate();
    cancel();
  }

  #quarantine(ending: Ending, delayMs: number): void {
    this.#move('give-up');
    const why = ending === 'refused' ? 'refuses its configuration' : 'ends again and again';
    const wait = `${Math.round(delayMs / 60_000)} min`;
    const message = `plugin ${this.spec.name} ${why} and is left alone for ${wait}`;
    this.#tell('plugin.quarantined', 'error', message);
  }

  #dropped(reason: DropReason, count: number, example: string): void {
    this.#tools.metrics.dropped.with(this.spec.name, reason).inc(count);
    const now = this.#tools.clock.monotonic();
    if (now - (this.#toldAt.get(reason) ?? -Infinity) < EVENT_REPEAT_MS) return;
    this.#toldAt.set(reason, now);
    const isLimit = reason === 'series-limit';
    const name = isLimit ? 'plugin.cardinality_limited' : 'plugin.data_refused';
    const message = `data of plugin ${this.spec.name} is refused (${reason}), first: ${example}`;
    this.#tell(name, 'warn', message.slice(0, 1000), { reason });
  }

  #tell(
    name: string,
    severity: HostEvent['severity'],
    message: string,
    attributes: Record<string, string> = {},
  ): void {
    this.#tools.onEvent({
      name,
      severity,
      message,
      attributes: { plugin: this.spec.name, ...attributes },
    });
  }

  #move(event: PluginEvent): void {
    // A collection or miss under way when the agent stops changes nothing any more.
    if (this.#state === 'draining' && event !== 'end') return;
    this.#state = nextState(this.#state, event);
  }
}
