// Collects from one running plugin on the grid of the interval, one collection at a time, until the plugin
// ends, hangs, or is to be stopped.

import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { nextPoint, sampleTime } from './collection-grid.ts';
import type { PluginConnection } from './connection.ts';
import type { HostMetrics } from './host-metrics.ts';
import { SampleBatch } from './sample-batch-reader.ts';
import type { SeriesIntake } from './series-intake.ts';

/** A collection that takes longer than this, or than the interval, is missed. */
export const COLLECT_MS_MAX = 10_000;
/** Collections missed in a row before a plugin counts as hung. */
const MISSES_MAX = 3;
/** How far a plugin's own time of reading may lie from the time it was asked for. */
const TIME_SLACK_MS = 10_000;
/** Failed collectors of one answer that are logged. */
const FAILURES_MAX = 100;

export interface CollectionLoopOptions {
  readonly plugin: string;
  readonly connection: PluginConnection;
  readonly intake: SeriesIntake;
  readonly intervalMs: number;
  /** Larger answers are thrown away whole. */
  readonly answerBytesMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: HostMetrics;
  readonly onCollected: () => void;
  readonly onMissed: (error: OutpostError) => void;
}

/** Why a loop ended: its signal, or a plugin that does not answer any more. */
export type LoopEnd = 'aborted' | 'hung';

/** The collections of one plugin process. */
export class CollectionLoop {
  /** How many times longer the interval is, for a plugin that takes too much. */
  stretch = 1;
  readonly #options: CollectionLoopOptions;
  readonly #batch = new SampleBatch();
  readonly #failures = new Map<string, string>();
  #definitionSeq = 0;
  /** Newest time asked for, and newest given to the sink. */
  #lastTime = -Infinity;
  #lastTaken = -Infinity;
  #misses = 0;
  #unhealthy = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: CollectionLoopOptions) {
    this.#options = options;
  }

  /** What went wrong in the last collection, by collector. */
  get failures(): ReadonlyMap<string, string> {
    return this.#failures;
  }

  /** Calls the plugin while no collection is under way; rejects as `call` does. */
  between<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(call);
    this.#turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** Collects at once and then on the grid; resolves when `signal` aborts or the plugin hangs. */
  async run(signal: AbortSignal): Promise<LoopEnd> {
    const { clock, intervalMs } = this.#options;
    let point = clock.now();
    for (;;) {
      await this.collect(point);
      if (signal.aborted) return 'aborted';
      if (this.#misses >= MISSES_MAX || this.#unhealthy) return 'hung';
      point = nextPoint(clock.now(), point, intervalMs * this.stretch);
      try {
        await sleep(clock, point - clock.now(), signal);
      } catch {
        return 'aborted';
      }
    }
  }

  /** Collects once, after the collection under way; never rejects. `point` is when it was planned for. */
  collect(point: number = this.#options.clock.now()): Promise<void> {
    this.#turn = this.#turn.then(() => this.#collectOnce(point));
    return this.#turn;
  }

  async #collectOnce(point: number): Promise<void> {
    const { plugin, clock, metrics, intake, onCollected, onMissed } = this.#options;
    const time = this.#timeFor(point);
    const started = clock.monotonic();
    try {
      const answer = await this.#ask(time);
      metrics.collectDuration.with(plugin).observe((clock.monotonic() - started) / 1000);
      this.#bound(answer);
      this.#decode(answer);
    } catch (error) {
      this.#misses++;
      const reason = OutpostError.from(error);
      if (reason.code === 'limit-exceeded') intake.drop('answer-bytes', reason.message);
      metrics.missed.with(plugin).inc();
      onMissed(reason);
      this.#checkHealth();
      return;
    }
    this.#misses = 0;
    onCollected();
    await this.#take(time);
  }

  /** The next sample's time; two collections never have the same. */
  #timeFor(point: number): number {
    const { clock, intervalMs } = this.#options;
    const now = clock.now();
    const time = sampleTime(now, point, intervalMs);
    const stepped = time <= this.#lastTime && time > this.#lastTime - intervalMs;
    this.#lastTime = stepped ? this.#lastTime + 1 : time;
    return this.#lastTime;
  }

  #ask(time: number): Promise<Uint8Array> {
    const deadlineMs = Math.min(this.#options.intervalMs, COLLECT_MS_MAX);
    return this.#options.connection.collect(time, this.#definitionSeq, deadlineMs);
  }

  #bound({ length }: Uint8Array): void {
    const { answerBytesMax } = this.#options;
    if (length <= answerBytesMax) return;
    throw new OutpostError(
      'limit-exceeded',
      `take the answer of a collection: it has ${length} bytes, at most ${answerBytesMax} are taken`,
    );
  }

  #decode(answer: Uint8Array): void {
    try {
      this.#batch.decode(answer);
    } catch (cause) {
      throw new OutpostError('corrupt', `read the answer of a collection: ${String(cause)}`, {
        cause,
      });
    }
  }

  async #take(asked: number): Promise<void> {
    const { plugin, intake, logger, metrics, clock } = this.#options;
    const time = this.#timeOf(asked);
    try {
      this.#lastTaken = time;
      const count = await intake.take(this.#batch, time);
      metrics.samples.with(plugin).inc(count);
      // What was refused for a limit is asked for again when there may be room.
      this.#definitionSeq = intake.wantsDefinitions(clock.monotonic())
        ? 0
        : this.#batch.definitionSeq;
    } catch (error) {
      // The plugin did its part; it sends the definitions again, for the number was not moved on.
      logger.error('samples were not taken', { err: String(error) });
    }
    this.#reportFailures();
  }

  #timeOf(asked: number): number {
    const claimed = this.#batch.timeMs;
    if (claimed === 0) return asked;
    const slack = Math.max(this.#options.intervalMs, TIME_SLACK_MS);
    if (claimed > this.#lastTaken && Math.abs(claimed - asked) <= slack) return claimed;
    this.#options.intake.drop('wrong-time', `${claimed} when asked at ${asked}`);
    return asked;
  }

  // A slow answer is weather; a plugin that does not even say it is well is restarted at once.
  #checkHealth(): void {
    this.#options.connection.serves().then(
      serves => {
        this.#unhealthy = !serves;
      },
      () => {
        this.#unhealthy = this.#misses > 0;
      },
    );
  }

  // A collector that fails says so each time; the log has it when it begins and when it changes.
  #reportFailures(): void {
    const { logger } = this.#options;
    const failures = this.#batch.failures.slice(0, FAILURES_MAX);
    for (const { collector, message } of failures) {
      if (this.#failures.get(collector) === message) continue;
      logger.warn('collector failed', { collector, err: message.slice(0, 1000) });
    }
    this.#failures.clear();
    for (const { collector, message } of failures) this.#failures.set(collector, message);
  }
}
