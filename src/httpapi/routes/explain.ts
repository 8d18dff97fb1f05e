// What a query does, or would do: its plan as a tree, with what each selector reads, where, and at what cost.

import { OutpostError } from '../../lifecycle/errors.ts';
import { childrenOf, type Expr, type VectorSelector } from '../../promql/ast.ts';
import { documentedType, typeOf } from '../../promql/check.ts';
import type { OperatorTimes } from '../../promql/operator-times.ts';
import { printExpr } from '../../promql/printer.ts';
import type { QueryResult } from '../../promql/result.ts';
import { estimateReading } from '../estimate.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import { missingJson, placeJson, placeRange } from '../read-observer.ts';
import { type Reading, Recording } from '../recording.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';
import { callerOf, rangeOf, settingsOf } from './query.ts';

/** `/api/v1/query_explain`. */
export function explainRoutes(options: ApiOptions): ApiRoute[] {
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/query_explain',
      handle: request => answerExplain(options, request),
    },
  ];
}

async function answerExplain(options: ApiOptions, request: ApiRequest): Promise<ApiAnswer> {
  const { parameters, signal } = request;
  const analyze = analyzes(parameters);
  const text = parameters.text('query');
  const recording = new Recording(() => options.clock.monotonic());
  const store = options.queryableFor(parameters, recording);
  const { keepsAccount: _, ...caller } = callerOf(request);
  const settings = { ...settingsOf(parameters), ...caller, timesOperators: analyze, signal };
  const isRange = ['start', 'end', 'step'].some(name => parameters.text(name) !== '');
  const recorded = recording.over(store, analyze);
  let result: QueryResult;
  let expr: Expr;
  try {
    expr = options.engine.parse(text);
    result = isRange
      ? await options.engine.range(recorded, text, { ...rangeOf(parameters), ...settings })
      : await options.engine.instant(recorded, text, {
          timeMs: parameters.time('time', options.clock.now()),
          ...settings,
        });
  } catch (error) {
    const isTextWrong =
      error instanceof OutpostError &&
      error.code === 'bad-data' &&
      !error.message.startsWith('invalid parameter');
    throw isTextWrong ? invalidParameter('query', error.message) : error;
  }
  if (!analyze) {
    for (const reading of recording.readings) {
      await estimateReading(store, reading, { recording, signal });
    }
  }
  const data = {
    analyzed: analyze,
    plan: new Tree(recording.readings, analyze ? result.times : null).node(expr),
    total: totalOf(recording.readings),
    ...(analyze && { stats: statsOf(result) }),
    missing: recording.missingParts.map(missingJson),
  };
  return { kind: 'data', data, warnings: result.warnings, infos: result.infos };
}

function analyzes(parameters: Parameters): boolean {
  const text = parameters.text('analyze');
  if (text === '' || text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw invalidParameter('analyze', 'expected true or false');
}

interface PlanNode {
  readonly kind: Expr['kind'];
  readonly text: string;
  readonly type: string;
  /** From asking for it to its answers, with its parts and without; absent where it was not run by itself. */
  readonly seconds?: number;
  readonly ownSeconds?: number;
  /** What the selector reads; absent where nothing had to be read. */
  readonly reads?: object;
  readonly children?: readonly PlanNode[];
}

/** Gives each selector the reading that it made. */
class Tree {
  /** Readings by what they select, in the order they were begun. */
  readonly #waiting = new Map<string, Reading[]>();
  readonly #times: OperatorTimes | null;

  constructor(readings: readonly Reading[], times: OperatorTimes | null) {
    this.#times = times;
    for (const reading of readings) {
      const key = keyOf(reading);
      const list = this.#waiting.get(key);
      if (list) list.push(reading);
      else this.#waiting.set(key, [reading]);
    }
  }

  node(expr: Expr): PlanNode {
    const children = childrenOf(expr).map(child => this.node(child));
    const reading = expr.kind === 'vector-selector' ? this.#readingOf(expr) : null;
    return {
      kind: expr.kind,
      text: printExpr(expr),
      type: documentedType(typeOf(expr)),
      ...this.#spent(expr),
      ...(reading && { reads: readingJson(reading) }),
      ...(children.length > 0 && { children }),
    };
  }

  #spent(expr: Expr): { seconds?: number; ownSeconds?: number } {
    const elapsed = this.#times?.of(expr) ?? null;
    if (elapsed === null) return {};
    const own = Math.max(0, elapsed - this.#below(expr));
    return { seconds: elapsed / 1000, ownSeconds: own / 1000 };
  }

  /** What the parts took; a part that is no operator stands for its own parts. */
  #below(expr: Expr): number {
    let sum = 0;
    for (const child of childrenOf(expr)) sum += this.#times?.of(child) ?? this.#below(child);
    return sum;
  }

  // Selectors that are alike may share what one of them has read.
  #readingOf(selector: VectorSelector): Reading | null {
    const list = this.#waiting.get(keyOf(selector));
    if (!list) return null;
    return list.length > 1 ? list.shift()! : list[0]!;
  }
}

function keyOf({ matchers }: Pick<VectorSelector, 'matchers'>): string {
  return matchers.map(String).sort().join();
}

function readingJson(reading: Reading) {
  const { minTime, maxTime, series, samples, bytes, elapsedMs, places } = reading;
  return {
    ...placeRange({ minTime, maxTime }),
    series,
    samples,
    bytes,
    seconds: elapsedMs / 1000,
    places: places.map(placeJson),
  };
}

function totalOf(readings: readonly Reading[]) {
  let [series, samples] = [0, 0];
  let bytes: number | null = 0;
  for (const reading of readings) {
    series += reading.series;
    samples += reading.samples;
    bytes = bytes === null || reading.bytes === null ? null : bytes + reading.bytes;
  }
  return { series, samples, bytes };
}

function statsOf({ stats }: QueryResult) {
  return {
    queueSeconds: stats.queueMs / 1000,
    planSeconds: stats.prepareMs / 1000,
    evaluationSeconds: stats.evalMs / 1000,
    peakSamples: stats.peakSamples,
    peakBytes: stats.peakBytes,
  };
}
