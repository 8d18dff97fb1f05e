// The query engine: text in, answer out. Everything it needs comes by parameter.

import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Queryable } from '../storage/queryable.ts';
import type { Registry } from '../telemetry/metrics.ts';
import { Annotations } from './annotations.ts';
import type { Expr } from './ast.ts';
import { documentedType, typeOf } from './check.ts';
import { EngineMetrics } from './engine-metrics.ts';
import { Execution } from './execution.ts';
import { Gate } from './gate.ts';
import { type Grid, gridOf, instantGrid } from './grid.ts';
import { collectMatrix, collectRange, collectVector } from './output.ts';
import { ParsedQueries } from './parsed-queries.ts';
import { Planner } from './plan.ts';
import type { QueryResult, ResultValue } from './result.ts';
import { statsOnlySelectors } from './stats-selectors.ts';

export interface EngineOptions {
  readonly clock: Clock;
  /** How far back an instant selector looks for a sample. */
  readonly lookbackMs?: number;
  /** Most samples one query may hold in memory. */
  readonly samplesMax?: number;
  readonly timeoutMs?: number;
  /** Queries beyond this many wait. */
  readonly concurrencyMax?: number;
  /** The step of subqueries that give none. */
  readonly subqueryStepMs?: number;
  /** Metric names are dropped at the end of a query rather than by each operation. */
  readonly delayedNameRemoval?: boolean;
  /** Counter functions look at when counters began to count, where the store knows. */
  readonly startTimes?: boolean;
  readonly registry?: Registry;
}

/** What one query may set for itself. */
export interface QueryOptions {
  readonly lookbackMs?: number;
  /** Never longer than the engine's. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
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

/**
 * Answers queries over anything that can be read. Throws OutpostError: `bad-data` for text that cannot be
 * read (with its place), `execution`, `timeout`, `canceled`, `limit-exceeded`, or what the store throws.
 */
export class Engine {
  readonly #clock: Clock;
  readonly #options: EngineOptions;
  readonly #gate: Gate;
  readonly #metrics: EngineMetrics | null;
  readonly #parsed = new ParsedQueries();

  constructor(options: EngineOptions) {
    this.#clock = options.clock;
    this.#options = options;
    this.#gate = new Gate(options.concurrencyMax ?? 20);
    this.#metrics = options.registry ? new EngineMetrics(options.registry, this.#gate) : null;
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

  async #query(queryable: Queryable, frame: Frame): Promise<QueryResult> {
    const started = this.#clock.monotonic();
    const stop = this.#stopSignal(frame.options);
    try {
      const expr = this.#parsed.parse(frame.text);
      checkType(expr, frame);
      await this.#gate.enter(stop.signal);
      try {
        return await this.#evaluate(queryable, expr, frame, { started, signal: stop.signal });
      } finally {
        this.#gate.leave();
      }
    } catch (thrown) {
      const error = asQueryError(thrown);
      this.#metrics?.failed(error.code);
      throw error;
    } finally {
      stop.release();
    }
  }

  async #evaluate(
    queryable: Queryable,
    expr: Expr,
    frame: Frame,
    run: { readonly started: number; readonly signal: AbortSignal },
  ): Promise<QueryResult> {
    const { signal } = run;
    const entered = this.#clock.monotonic();
    const annotations = new Annotations(frame.text);
    const execution = new Execution({
      queryable,
      annotations,
      signal,
      semantics: {
        delayedNameRemoval: this.#options.delayedNameRemoval ?? false,
        startTimes: this.#options.startTimes ?? false,
      },
      lookbackMs: frame.options.lookbackMs ?? this.#options.lookbackMs ?? 300_000,
      samplesMax: this.#options.samplesMax ?? 50_000_000,
      monotonic: () => this.#clock.monotonic(),
    });
    const planner = new Planner({
      execution,
      text: frame.text,
      startMs: frame.startMs,
      endMs: frame.endMs,
      stepMs: frame.stepMs,
      rangeMs: frame.endMs - frame.startMs,
      instant: frame.stepMs === 0,
      statsOnly: statsOnlySelectors(expr),
      subqueryStepMs: this.#options.subqueryStepMs ?? 60_000,
    });
    const evaluation = new Evaluation(execution, planner, frame);
    const planned = this.#clock.monotonic();
    const value = await evaluation.run(expr);
    const done = this.#clock.monotonic();
    this.#metrics?.answered((done - entered) / 1000, execution.samplesRead);
    return {
      value,
      warnings: annotations.list('warning'),
      infos: annotations.list('info'),
      stats: {
        queueMs: entered - run.started,
        prepareMs: planned - entered,
        evalMs: done - planned,
        samplesRead: execution.samplesRead,
        peakSamples: execution.peakSamples,
        seriesRead: execution.seriesRead,
      },
    };
  }

  /** Aborts at the timeout or with the caller's signal, whichever is first. */
  #stopSignal(options: QueryOptions): { signal: AbortSignal; release(): void } {
    const longest = this.#options.timeoutMs ?? 120_000;
    const timeoutMs = Math.min(options.timeoutMs ?? longest, longest);
    const controller = new AbortController();
    const cancel = this.#clock.after(timeoutMs, () =>
      controller.abort(new OutpostError('timeout', 'query timed out in expression evaluation')),
    );
    const onAbort = (): void =>
      controller.abort(new OutpostError('canceled', 'query was canceled in expression evaluation'));
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const release = (): void => {
      cancel();
      options.signal?.removeEventListener('abort', onAbort);
    };
    return { signal: controller.signal, release };
  }
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

/** One evaluation of a parsed query. */
class Evaluation {
  readonly #execution: Execution;
  readonly #planner: Planner;
  readonly #frame: Frame;

  constructor(execution: Execution, planner: Planner, frame: Frame) {
    this.#execution = execution;
    this.#planner = planner;
    this.#frame = frame;
  }

  async run(expr: Expr): Promise<ResultValue> {
    const { startMs, endMs, stepMs } = this.#frame;
    if (stepMs !== 0) return this.#matrix(expr, gridOf(startMs, endMs, stepMs));
    const time = startMs;
    const grid = instantGrid(time);
    switch (typeOf(expr)) {
      case 'string': {
        let inner = expr;
        while (inner.kind === 'parens') inner = inner.inner;
        return { type: 'string', time, value: inner.kind === 'string' ? inner.value : '' };
      }
      case 'scalar': {
        const operator = this.#planner.scalar(expr, grid);
        try {
          const [value] = await operator.values();
          return { type: 'scalar', time, value: value! };
        } finally {
          operator.close();
        }
      }
      case 'matrix': {
        const plan = this.#planner.range(expr, grid, { func: '' });
        try {
          return { type: 'matrix', series: await collectRange(this.#execution, plan) };
        } finally {
          plan.source.close();
        }
      }
      case 'vector': {
        const operator = this.#planner.vector(expr, grid);
        try {
          return { type: 'vector', time, samples: await collectVector(this.#execution, operator) };
        } finally {
          operator.close();
        }
      }
    }
  }

  async #matrix(expr: Expr, grid: Grid): Promise<ResultValue> {
    if (grid.count === 0) return { type: 'matrix', series: [] };
    this.#execution.checkSteps(grid.count);
    const operator = this.#planner.vector(expr, grid);
    try {
      return { type: 'matrix', series: await collectMatrix(this.#execution, operator, grid) };
    } finally {
      operator.close();
    }
  }
}
