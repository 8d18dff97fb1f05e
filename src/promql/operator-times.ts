// How long each part of a query takes, for who has its plan explained. Only made when somebody asks.

import type { Expr } from './ast.ts';
import type { StepBlock } from './block.ts';
import type { Distinctness, ScalarOperator, VectorOperator } from './operators/operator.ts';
import type { Row } from './operators/rows.ts';

/** Time spent in operators, each with what it pulls from. */
export class OperatorTimes {
  readonly #monotonic: () => number;
  readonly #elapsed = new Map<string, number>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Milliseconds from asking to answers, those of its parts included; null for what no operator is made of. */
  of(expr: Expr): number | null {
    return this.#elapsed.get(keyOf(expr)) ?? null;
  }

  /** The operator of an expression, timed. */
  vector(expr: Expr, operator: VectorOperator): VectorOperator {
    return new TimedVector(operator, work => this.#timed(keyOf(expr), work));
  }

  /** The operator of an expression, timed. */
  scalar(expr: Expr, operator: ScalarOperator): ScalarOperator {
    return {
      values: () => this.#timed(keyOf(expr), () => operator.values()),
      close: () => operator.close(),
    };
  }

  async #timed<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const started = this.#monotonic();
    try {
      return await work();
    } finally {
      const elapsed = this.#monotonic() - started;
      this.#elapsed.set(key, (this.#elapsed.get(key) ?? 0) + elapsed);
    }
  }
}

// A text that is read twice gives two trees, whose parts are known by their places.
function keyOf({ kind, span }: Expr): string {
  return `${kind}:${span.start}:${span.end}`;
}

class TimedVector implements VectorOperator {
  readonly all?: () => Promise<Iterable<Row>>;
  readonly #operator: VectorOperator;
  readonly #timed: <Result>(work: () => Promise<Result>) => Promise<Result>;

  constructor(
    operator: VectorOperator,
    timed: <Result>(work: () => Promise<Result>) => Promise<Result>,
  ) {
    this.#operator = operator;
    this.#timed = timed;
    if (operator.all) this.all = () => timed(() => operator.all!());
  }

  get distinct(): Distinctness {
    return this.#operator.distinct;
  }

  next(): Promise<StepBlock | null> {
    return this.#timed(() => this.#operator.next());
  }

  close(): void {
    this.#operator.close();
  }
}
