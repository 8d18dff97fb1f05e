// The query engine: text in, answer out. Everything it needs comes by parameter.

import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Queryable } from '../storage/queryable.ts';
import type { Registry } from '../telemetry/metrics.ts';
import { Annotations } from './annotations.ts';
import type { Expr } from './ast.ts';
import { documentedType, typeOf } from './check.ts';
import { EngineMetrics } from './engine-metrics.ts';
import { Evaluation } from './evaluation.ts';
import { Execution } from './execution.ts';
import { type LanguageSwitches, refuseDisabled } from './features.ts';
import { Gate } from './gate.ts';
import { gridOf } from './grid.ts';
import { MemoryPool, QueryMemory } from './limits/memory.ts';
import type { QueryJournal, QueryLog, QueryOrigin } from './limits/observers.ts';
import {
  canceledIn,
  checkLength,
  LimitError,
  QUERY_LIMITS,
  type QueryLimits,
  timedOut,
} from './limits/query-limits.ts';
import { OperatorTimes } from './operator-times.ts';
import { ParsedQueries } from './parsed-queries.ts';
import { Planner } from './plan.ts';
import type { QueryResult, QueryStats } from './result.ts';
import { SampleCounts } from './sample-counts.ts';
import { statsOnlySelectors } from './stats-selectors.ts';

/** Limits that are left out have the safe defaults of `QUERY_LIMITS`. */
export interface EngineOptions extends Partial<QueryLimits>, LanguageSwitches {
  readonly clock: Clock;
  /** How far back an instant selector looks for a sample. */
  readonly lookbackMs?: number;
  /** The step of subqueries that give none. */
  readonly subqueryStepMs?: number;
  /** Metric names are dropped at the end of a query rather than by each operation. */
  readonly delayedNameRemoval?: boolean;
  /** Counter functions look at when counters began to count, where the store knows. */
  readonly startTimes?: boolean;
  readonly journal?: QueryJournal;
  readonly log?: QueryLog;
  readonly registry?: Registry;
}

/** What one query may set for itself. */
export interface QueryOptions {
  readonly lookbackMs?: number;
  /** Never longer than the engine's. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly origin?: QueryOrigin;
  /** True: what the answer holds stays in the account of all queries until its `release` is called. */
  readonly keepsAccount?: boolean;
  /** True: samples are counted step by step. */
  readonly countsSamples?: boolean;
  /** True: the operators of the plan are timed. */
  readonly timesOperators?: boolean;
}

export interface InstantOptions extends QueryOptions {
  readonly timeMs: number;
}

export interface RangeOptions extends QueryOptions {
  readonly startMs: number;
  /** Inclusive. */
  readonly endMs: number;
  /** Positive. */
  readonly stepMs: number;
}

/** The frame of a query, instant or range. */
interface Frame {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  readonly options: QueryOptions;
}

/** What stops a query, and where it is by now. */
interface Stop {
  readonly signal: AbortSignal;
  readonly started: number;
  place: 'query queue' | 'expression evaluation';
  release(): void;
}

/**
 * Answers queries over anything that can be read. Throws OutpostError: `bad-data` for text that cannot be
 * read (with its place), `execution`, `timeout`, `canceled`, `limit-exceeded`, `unavailable` where all
 * queries together take too much, or what the store throws.
 */
export class Engine {
  readonly limits: QueryLimits;
  readonly #clock: Clock;
  readonly #options: EngineOptions;
  readonly #gate: Gate;
  readonly #pool: MemoryPool;
  readonly #metrics: EngineMetrics | null;
  readonly #parsed: ParsedQueries;

  constructor(options: EngineOptions) {
    const { clock, registry } = options;
    this.#clock = clock;
    this.#options = options;
    this.limits = limitsOf(options);
    this.#gate = new Gate({ ...this.limits, clock });
    this.#pool = new MemoryPool(this.limits);
    this.#metrics = registry ? new EngineMetrics(registry, this.#gate, this.#pool) : null;
    this.#parsed = new ParsedQueries((text, expr) => refuseDisabled(text, expr, options));
  }

  /** What of the language is switched on. */
  get switches(): LanguageSwitches {
    return this.#options;
  }

  /** Reads a query as the engine would. Throws `bad-data`. */
  parse(text: string): Expr {
    checkLength(text, this.limits);
    return this.#parsed.parse(text);
  }

  /** Evaluates at one time. */
  instant(queryable: Queryable, text: string, options: InstantOptions): Promise<QueryResult> {
    const { timeMs } = options;
    return this.#query(queryable, { text, startMs: timeMs, endMs: timeMs, stepMs: 0, options });
  }

  /** Evaluates at start, start + step, … up to end. The answer is always a matrix. */
  range(queryable: Queryable, text: string, options: RangeOptions): Promise<QueryResult> {
    const { startMs, endMs, stepMs } = options;
    if (!(stepMs > 0)) {
      return Promise.reject(new OutpostError('bad-data', `the step must be positive: ${stepMs}`));
    }
    return this.#query(queryable, { text, startMs, endMs, stepMs, options });
  }

  /** Counts a query that was refused outside of the engine, such as an answer too large to send. */
  countRefusal(refusal: string): void {
    this.#metrics?.refused(refusal);
  }

  async #query(queryable: Queryable, frame: Frame): Promise<QueryResult> {
    const stop = this.#stopOf(frame.options);
    try {
      const expr = this.parse(frame.text);
      checkType(expr, frame);
      const result = await this.#admitted(frame, stop, () =>
        this.#evaluate(queryable, expr, frame, stop),
      );
      this.#note(frame, result.stats, null);
      return result;
    } catch (thrown) {
      const error = asQueryError(thrown);
      this.#metrics?.failed(error.code);
      if (error instanceof LimitError) this.#metrics?.refused(error.refusal);
      this.#note(frame, null, error.message);
      throw error;
    } finally {
      stop.release();
    }
  }

  /** Runs the evaluation when there is a place for it, with the journal knowing. */
  async #admitted<Result>(
    { text, options }: Frame,
    stop: Stop,
    evaluate: () => Promise<Result>,
  ): Promise<Result> {
    const source = options.origin?.source;
    await this.#gate.enter(stop.signal, source);
    try {
      stop.place = 'expression evaluation';
      const { journal } = this.#options;
      const entry = journal?.begin(text);
      try {
        return await evaluate();
      } finally {
        if (entry !== undefined) journal?.end(entry);
      }
    } finally {
      this.#gate.leave(source);
    }
  }

  async #evaluate(
    queryable: Queryable,
    expr: Expr,
    frame: Frame,
    { started, signal }: Stop,
  ): Promise<QueryResult> {
    const entered = this.#clock.monotonic();
    const annotations = new Annotations(frame.text);
    const memory = new QueryMemory(this.#pool);
    let isAnswered = false;
    try {
      const execution = this.#newExecution(queryable, frame, { annotations, signal, memory });
      const planner = this.#newPlanner(execution, expr, frame);
      const evaluation = new Evaluation(execution, planner, frame);
      const planned = this.#clock.monotonic();
      const value = await evaluation.run(expr);
      const done = this.#clock.monotonic();
      this.#metrics?.answered((done - entered) / 1000, execution.samplesRead);
      isAnswered = true;
      return {
        value,
        warnings: annotations.list('warning'),
        infos: annotations.list('info'),
        stats: {
          queueMs: entered - started,
          prepareMs: planned - entered,
          evalMs: done - planned,
          samplesRead: execution.samplesRead,
          samplesPerStep: planner.scope.counts?.result() ?? null,
          peakSamples: execution.peakSamples,
          seriesRead: execution.seriesRead,
          peakBytes: memory.peak,
        },
        times: planner.scope.times,
        release: () => memory.close(),
      };
    } finally {
      if (!isAnswered || !frame.options.keepsAccount) memory.close();
    }
  }

  #newExecution(
    queryable: Queryable,
    { options }: Frame,
    run: { annotations: Annotations; signal: AbortSignal; memory: QueryMemory },
  ): Execution {
    return new Execution({
      ...run,
      queryable,
      semantics: {
        delayedNameRemoval: this.#options.delayedNameRemoval ?? false,
        startTimes: this.#options.startTimes ?? false,
      },
      lookbackMs: options.lookbackMs ?? this.#options.lookbackMs ?? 300_000,
      limits: this.limits,
      monotonic: () => this.#clock.monotonic(),
    });
  }

  #newPlanner(execution: Execution, expr: Expr, frame: Frame): Planner {
    return new Planner({
      execution,
      text: frame.text,
      startMs: frame.startMs,
      endMs: frame.endMs,
      stepMs: frame.stepMs,
      rangeMs: frame.endMs - frame.startMs,
      instant: frame.stepMs === 0,
      statsOnly: statsOnlySelectors(expr),
      subqueryStepMs: this.#options.subqueryStepMs ?? 60_000,
      counts: frame.options.countsSamples ? newCounts(execution, frame) : null,
      times: frame.options.timesOperators ? new OperatorTimes(() => this.#clock.monotonic()) : null,
    });
  }

  #note(frame: Frame, stats: QueryStats | null, error: string | null): void {
    const { text, startMs, endMs, stepMs, options } = frame;
    const { origin } = options;
    this.#options.log?.({ text, startMs, endMs, stepMs, stats, error, origin });
  }

  /** Aborts at the timeout or with the caller's signal, whichever is first. */
  #stopOf(options: QueryOptions): Stop {
    const longest = this.limits.timeoutMs;
    const timeoutMs = Math.min(options.timeoutMs ?? longest, longest);
    const controller = new AbortController();
    const cancelTimer = this.#clock.after(timeoutMs, () =>
      controller.abort(timedOut(stop.place, timeoutMs)),
    );
    const onAbort = (): void => controller.abort(canceledIn(stop.place));
    const stop: Stop = {
      signal: controller.signal,
      started: this.#clock.monotonic(),
      place: 'query queue',
      release() {
        cancelTimer();
        options.signal?.removeEventListener('abort', onAbort);
      },
    };
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    return stop;
  }
}

function limitsOf(options: Partial<QueryLimits>): QueryLimits {
  const names = Object.keys(QUERY_LIMITS) as (keyof QueryLimits)[];
  const entries = names.map(name => [name, options[name] ?? QUERY_LIMITS[name]] as const);
  return Object.fromEntries(entries) as unknown as QueryLimits;
}

function newCounts(execution: Execution, { startMs, endMs, stepMs }: Frame): SampleCounts {
  const steps = stepMs === 0 ? 1 : gridOf(startMs, endMs, stepMs).count;
  execution.checkSteps(steps);
  return new SampleCounts(steps);
}

function checkType(expr: Expr, frame: Frame): void {
  const type = typeOf(expr);
  if (frame.stepMs !== 0 && type !== 'scalar' && type !== 'vector') {
    throw new OutpostError(
      'bad-data',
      `invalid expression type "${documentedType(type)}" for range query, must be Scalar or instant Vector`,
    );
  }
}

function asQueryError(thrown: unknown): OutpostError {
  const error = OutpostError.from(thrown);
  if (!(thrown instanceof RangeError)) return error;
  return new OutpostError('execution', `evaluate query: ${thrown.message}`, { cause: thrown });
}
