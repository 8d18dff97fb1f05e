// One life of a plugin: from the check of its executable over its process to that process's end. Whatever
// happens on the way, when `run` resolves the process is gone, or known to be stuck in the kernel for good.

import { join } from 'node:path';
import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { type Identity, newIdentity } from '../sdk/certificate.ts';
import { CollectionLoop } from './collection-loop.ts';
import {
  type ConfigurationError,
  connectPlugin,
  type Description,
  type PluginConnection,
  RECEIVE_BYTES_MAX,
} from './connection.ts';
import { LimitedEvents } from './event-limit.ts';
import { servicesFor } from './host-offers.ts';
import { addHostService } from './host-service.ts';
import { configurationOf } from './plugin-configuration.ts';
import { PluginLog } from './plugin-log.ts';
import {
  type Exit,
  exitText,
  GRACE_MS,
  NOT_APPLICABLE,
  type PluginProcess,
} from './plugin-process.ts';
import type { PluginReport } from './plugin-report.ts';
import { PluginSession } from './plugin-session.ts';
import { limitsOf, type PluginSpec } from './plugin-spec.ts';
import type { PluginEvent } from './plugin-state.ts';
import { type PreparedLaunch, prepareLaunch, startPlugin } from './prepare-launch.ts';
import { processState } from './process-usage.ts';
import { SeriesIntake } from './series-intake.ts';
import type { SupervisorTools } from './supervisor-tools.ts';
import { judgeUsage, newUsageHistory, type UsageHistory, WATCH_MS } from './usage-policy.ts';

/** A process that was killed and is still there after this long hangs in the kernel. */
export const STUCK_AFTER_MS = 5_000;

/** How a life ended. */
export type Ending =
  | 'exited' // by itself, by force, or without getting as far as running
  | 'refused' // by the check of the executable, or because it refused its configuration
  | 'declined' // it says there is nothing for it on this host
  | 'stopped'; // as it was told

export interface PluginLifeOptions {
  readonly spec: PluginSpec;
  readonly tools: SupervisorTools;
  readonly report: PluginReport;
  readonly move: (event: PluginEvent) => void;
  /** Aborts when the plugin is to have no further life, whatever becomes of its process. */
  readonly final: AbortSignal;
}

/** One life. `run` may be called once. */
export class PluginLife {
  /** The process; null before it begins. */
  process: PluginProcess | null = null;
  description: Description | null = null;
  intake: SeriesIntake | null = null;
  loop: CollectionLoop | null = null;
  /** What goes on beside collections; null before it begins. */
  session: PluginSession | null = null;
  usage: UsageHistory;
  spec: PluginSpec;
  readonly #options: PluginLifeOptions;
  readonly #clock: Clock;
  #connection: PluginConnection | null = null;
  #startedAt = 0;

  constructor(options: PluginLifeOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.#clock = options.tools.clock;
    this.usage = newUsageHistory(this.#clock.monotonic());
  }

  /** Lives until the process ends or `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<Ending> {
    const { tools, report, move } = this.#options;
    const { name } = this.spec;
    if (signal.aborted) return 'stopped';
    let prepared: PreparedLaunch;
    try {
      prepared = await prepareLaunch(this.spec, tools, report);
    } catch (error) {
      return this.#refused(error);
    }
    move('verify');
    const leave = await tools.gate.enter(signal).catch(() => null);
    if (leave === null || signal.aborted) {
      leave?.();
      return 'stopped';
    }
    move('start');
    const log = new PluginLog(
      report.logger,
      () => this.#clock.monotonic(),
      () => tools.metrics.logLinesDropped.with(name).inc(),
    );
    this.#startedAt = this.#clock.monotonic();
    this.usage = newUsageHistory(this.#startedAt);
    const identity = this.#identity();
    const process = startPlugin(this.spec, prepared, { tools, log, identity });
    this.process = process;
    const gone = new AbortController();
    process.exited.then(exit => gone.abort(exit));
    let ending: Ending;
    try {
      ending = await this.#serve(process, {
        gone: gone.signal,
        signal,
        settled: leave,
        identity,
        log,
        socketDir: prepared.socketDir,
      });
    } finally {
      leave();
    }
    const exit = await this.#gone(process);
    prepared.cgroup?.remove();
    if (exit === null) return 'stopped';
    if (exit.code === NOT_APPLICABLE && ending === 'exited') return this.#declined(log);
    if (ending !== 'stopped' && this.description !== null) {
      const kills = prepared.cgroup?.outOfMemoryKills ?? 0;
      const why = kills > 0 ? ', for want of memory' : '';
      report.tell('plugin.exited', 'warn', `plugin ${name} ended: ${exitText(exit)}${why}`, {
        code: String(exit.code ?? ''),
        signal: exit.signal ?? '',
        uptime_ms: String(Math.round(this.#clock.monotonic() - this.#startedAt)),
        stderr: log.tail,
      });
    }
    return ending;
  }

  /**
   * Puts other collectors and options in force, between two collections; resolves with the mistakes the plugin
   * found, and nothing is changed then. Rejects where the plugin does not answer.
   */
  async configure(spec: PluginSpec): Promise<readonly ConfigurationError[]> {
    const connection = this.#connection;
    const { loop } = this;
    if (!connection || !loop) {
      throw new OutpostError('unavailable', `configure plugin ${spec.name}: it does not run`);
    }
    const errors = await loop.between(() =>
      connection.configure(configurationOf(spec, this.#options.tools.intervalMs)),
    );
    if (errors.length === 0) this.spec = spec;
    return errors;
  }

  #refused(error: unknown): Ending {
    const { report } = this.#options;
    const { code, message } = OutpostError.from(error);
    const name = code === 'bad-data' ? 'plugin.refused' : 'plugin.start_failed';
    report.tell(name, code === 'bad-data' ? 'error' : 'warn', message);
    return code === 'bad-data' ? 'refused' : 'exited';
  }

  #declined(log: PluginLog): Ending {
    const why = log.tail.split('\n').at(-1) ?? '';
    const message = `plugin ${this.spec.name} has nothing to do on this host${why === '' ? '' : `: ${why}`}`;
    this.#options.report.tell('plugin.not_applicable', 'info', message);
    return 'declined';
  }

  /** From the start to the moment the process is to end, or has ended. */
  async #serve(process: PluginProcess, waits: Waits): Promise<Ending> {
    const { move, report } = this.#options;
    const { gone, signal } = waits;
    let connection: PluginConnection | null = null;
    try {
      const handshake = await process.handshake(signal);
      connection = connectPlugin(handshake, this.#clock, {
        identity: waits.identity,
        receiveBytesMax: Math.min(RECEIVE_BYTES_MAX, limitsOf(this.spec).answerBytes),
        socketPath: number => join(waits.socketDir, `host-${process.pid}-${number}`),
      });
      await this.#serveHost(connection);
      if (!(await this.#introduce(connection))) {
        void process.terminate();
        return signal.aborted ? 'stopped' : 'refused';
      }
      waits.settled();
      this.#connection = connection;
      const session = this.#newSession(connection, waits.log);
      void session?.run(AbortSignal.any([gone, signal]));
      await this.#collectUntil(connection, process, AbortSignal.any([gone, signal]));
      if (!signal.aborted) return 'exited';
      move('stop');
      await connection.shutdown(GRACE_MS);
      void process.endWithin(GRACE_MS);
      return 'stopped';
    } catch (error) {
      // A process that declines says so with its exit code, and that is no trouble.
      const exit = gone.aborted ? (gone.reason as Exit) : null;
      const isTold = signal.aborted || exit?.code === NOT_APPLICABLE || this.#isDescribed(exit);
      if (!isTold) report.tell('plugin.start_failed', 'warn', OutpostError.from(error).message);
      if (!gone.aborted) void process.terminate();
      return signal.aborted ? 'stopped' : 'exited';
    } finally {
      this.#connection = null;
      this.session = null;
      connection?.close();
    }
  }

  /** A certificate for this life, where the plugin is to prove itself. */
  #identity(): Identity | null {
    const { offers } = this.#options.tools;
    if (!offers || this.spec.autoMtls === false) return null;
    return newIdentity({ now: this.#clock.now(), fillRandom: offers.fillRandom });
  }

  async #serveHost(connection: PluginConnection): Promise<void> {
    const { tools, report } = this.#options;
    const { offers } = tools;
    if (!offers) return;
    const services = servicesFor(this.spec.name, offers, report.logger);
    await connection.serveHost(server => addHostService(server, services));
  }

  #newSession(connection: PluginConnection, log: PluginLog): PluginSession | null {
    const { tools, report } = this.#options;
    const { offers, metrics } = tools;
    const { description } = this;
    if (!offers || description === null) return null;
    const plugin = this.spec.name;
    const limits = limitsOf(this.spec);
    this.session = new PluginSession({
      plugin,
      connection,
      description,
      clock: this.#clock,
      logger: report.logger,
      events:
        offers.events &&
        new LimitedEvents(offers.events, {
          clock: this.#clock,
          perMinute: limits.eventsPerMinute,
          onDropped: (count, example) => report.dropped('event-rate', count, example),
        }),
      cursors: offers.storage.notesOn(plugin),
      streamIntake: () =>
        new SeriesIntake({
          // A source of its own: its series come and go apart from those of collections.
          plugin: `${plugin}/stream`,
          sink: tools.sink,
          seriesMax: limits.seriesMax,
          limits,
          onDropped: (reason, count, example) => report.dropped(reason, count, example),
        }),
      print: (line, isError) => (isError ? log.stderr(line) : log.stdout(line)),
      onSamples: count => metrics.samples.with(plugin).inc(count),
    });
    return this.session;
  }

  /** Whether the end of the process is told by itself, as that of one that worked. */
  #isDescribed(exit: Exit | null): boolean {
    return exit !== null && this.description !== null;
  }

  /** Waits for the end of a process that was told to end; null where the agent ends before it. */
  async #gone(process: PluginProcess): Promise<Exit | null> {
    const { move, report, final } = this.#options;
    const timeout = new AbortController();
    const limit = sleep(this.#clock, GRACE_MS + STUCK_AFTER_MS, timeout.signal).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    const first = await Promise.race([process.exited, limit]);
    timeout.abort();
    if (first !== 'late') return first;
    const state = processState(process.pid);
    const how = state === 'D' ? 'waits in the kernel (state D)' : 'does not end';
    const message = `plugin ${this.spec.name} ${how} and cannot be killed; no other is started until it is gone`;
    move('hang');
    report.tell('plugin.stuck', 'error', message, { pid: String(process.pid) });
    const stopped = new Promise<null>(settle => {
      if (final.aborted) settle(null);
      final.addEventListener('abort', () => settle(null), { once: true });
    });
    const exit = await Promise.race([process.exited, stopped]);
    if (exit !== null) report.tell('plugin.unstuck', 'info', `plugin ${this.spec.name} is gone`);
    return exit;
  }

  /** Describe and Configure; false where the plugin refuses its configuration. */
  async #introduce(connection: PluginConnection): Promise<boolean> {
    const { move, report, tools } = this.#options;
    const { name } = this.spec;
    const description = await connection.describe();
    this.description = description;
    move('connect');
    const errors = await connection.configure(configurationOf(this.spec, tools.intervalMs));
    if (errors.length > 0) {
      const texts = errors.slice(0, 10).map(({ path, message }) => `${path} ${message}`.trim());
      const message = `plugin ${name} refuses its configuration: ${texts.join('; ')}`;
      report.tell('plugin.config_rejected', 'error', message);
      return false;
    }
    move('configure');
    const version = description.version.slice(0, 100);
    report.tell('plugin.started', 'info', `plugin ${name} ${version} runs`, { version });
    return true;
  }

  async #collectUntil(
    connection: PluginConnection,
    process: PluginProcess,
    ended: AbortSignal,
  ): Promise<void> {
    const { tools, report, move } = this.#options;
    const plugin = this.spec.name;
    const limits = limitsOf(this.spec);
    const intake = new SeriesIntake({
      plugin,
      sink: tools.sink,
      seriesMax: limits.seriesMax,
      limits,
      onDropped: (reason, count, example) => report.dropped(reason, count, example),
    });
    const loop = new CollectionLoop({
      plugin,
      connection,
      intake,
      intervalMs: tools.intervalMs,
      answerBytesMax: limits.answerBytes,
      clock: this.#clock,
      metrics: tools.metrics,
      logger: report.logger,
      onCollected: () => move(loop.stretch > 1 ? 'throttle' : 'collect'),
      onMissed: error => {
        if (ended.aborted) return;
        move('miss');
        report.lastError = error.message;
        report.logger.warn('collection missed', { err: error.message });
      },
    });
    this.intake = intake;
    this.loop = loop;
    const over = new AbortController();
    const watched = this.#watch(process, loop, AbortSignal.any([ended, over.signal]));
    try {
      const end = await Promise.race([loop.run(ended), watched]);
      if (end === 'hung') {
        report.tell('plugin.hung', 'warn', `plugin ${plugin} does not answer and is ended`);
      }
      if (end !== 'aborted') void process.terminate();
    } finally {
      over.abort();
      this.loop = null;
      await intake
        .close(this.#clock.now())
        .catch(error => report.logger.error('series were not ended', { err: String(error) }));
      this.intake = null;
    }
  }

  /** Looks at what the process uses until `ended`; resolves with 'over' where it may not go on. */
  async #watch(
    process: PluginProcess,
    loop: CollectionLoop,
    ended: AbortSignal,
  ): Promise<'over' | 'aborted'> {
    const { tools, report } = this.#options;
    const { name } = this.spec;
    const limits = limitsOf(this.spec);
    for (;;) {
      const usage = tools.process.usage(process.pid);
      if (usage) {
        const now = this.#clock.monotonic();
        const before = this.usage;
        const verdict = judgeUsage(before, usage, limits, { now, uptimeMs: now - this.#startedAt });
        this.usage = verdict.history;
        const used = usage.cpuSeconds - (before.usage?.cpuSeconds ?? 0);
        tools.metrics.cpuSeconds.with(name).inc(Math.max(0, used));
        if (verdict.kind === 'stretch') {
          loop.stretch = verdict.history.stretch;
          const text = `plugin ${name} is collected from ${loop.stretch} times less often: ${verdict.why}`;
          report.tell('plugin.throttled', 'warn', text, { stretch: String(loop.stretch) });
        } else if (verdict.kind === 'restart') {
          report.tell('plugin.overused', 'warn', `plugin ${name} is ended: ${verdict.why}`);
          return 'over';
        }
      }
      try {
        await sleep(this.#clock, tools.watchMs ?? WATCH_MS, ended);
      } catch {
        return 'aborted';
      }
    }
  }
}

interface Waits {
  /** Aborts when the process is gone, with its exit as the reason. */
  readonly gone: AbortSignal;
  /** Aborts when the process is to end. */
  readonly signal: AbortSignal;
  /** To be called once the plugin has started. */
  readonly settled: () => void;
  /** Null where the plugin was not offered TLS. */
  readonly identity: Identity | null;
  readonly log: PluginLog;
  readonly socketDir: string;
}
