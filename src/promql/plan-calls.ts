// Plans for function calls.

import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { CallExpr, Expr } from './ast.ts';
import { withoutParens } from './ast.ts';
import { typeOf } from './check.ts';
import { EXTENDED_FUNCTIONS, extendedFunction } from './functions/extended.ts';
import { HISTOGRAM_PARTS } from './functions/histogram.ts';
import { dropHistograms, MATH } from './functions/math.ts';
import type { RangeContext, RangeFunctionFactory } from './functions/range-function.ts';
import { NAME_KEEPING, RANGE_FUNCTIONS } from './functions/range-functions.ts';
import { DATE_PARTS, dateChange, datePart } from './functions/time.ts';
import { maxOf, minOf } from './go-math.ts';
import type { Grid } from './grid.ts';
import { newAbsent } from './operators/absent.ts';
import { CountedRanges } from './operators/counted-kernel.ts';
import { type HistogramQuestion, newHistogramSummary } from './operators/histogram-summary.ts';
import { newInfo } from './operators/info.ts';
import { LabelOperator, labelJoin, labelReplace } from './operators/label-change.ts';
import { type BlockChange, MapOperator } from './operators/map.ts';
import { FixedRow } from './operators/names.ts';
import { DISTINCT, type ScalarOperator, type VectorOperator } from './operators/operator.ts';
import { RangeKernel } from './operators/range-kernel.ts';
import { ScalarVector } from './operators/repeat.ts';
import {
  ComputedScalar,
  ConstantScalar,
  MappedScalar,
  TimeScalar,
  VectorScalar,
} from './operators/scalar.ts';
import { byLabels, byValue, newSort, type SortOptions } from './operators/sort.ts';
import { type RowKernel, WindowOperator } from './operators/window.ts';
import type { Planner } from './plan.ts';
import { firstSelectorTime, planInfoSeries } from './plan-info.ts';
import { planVectorSelector } from './plan-selectors.ts';

const ONE = (): FixedRow => new FixedRow(Labels.empty);

/** A call that gives an instant vector. */
export function planVectorCall(planner: Planner, expr: CallExpr, grid: Grid): VectorOperator {
  const { name } = expr;
  if (RANGE_FUNCTIONS.has(name)) {
    return planRangeCall(planner, expr, grid, { name, keepName: NAME_KEEPING.has(name) });
  }
  const part = DATE_PARTS[name];
  if (part && expr.args.length === 0) {
    const time = new TimeScalar(grid);
    const scalar = new MappedScalar(time, seconds => datePart(part, Math.trunc(seconds)));
    return new ScalarVector(scalar, ONE(), DISTINCT);
  }
  const change = part ? dateChange(part) : (MATH.get(name) ?? HISTOGRAM_PARTS.get(name));
  if (change) return planMap(planner, expr, change, grid);
  const plan = VECTOR_CALLS[name];
  if (!plan) throw new OutpostError('execution', `function ${name}() is not supported`);
  return plan(planner, expr, grid);
}

/** A call that gives a scalar. */
export function planScalarCall(planner: Planner, expr: CallExpr, grid: Grid): ScalarOperator {
  const { scope } = planner;
  const constant = (value: number): ScalarOperator => new ConstantScalar(value, grid.count);
  switch (expr.name) {
    case 'time':
      return new TimeScalar(grid);
    case 'pi':
      return constant(Math.PI);
    case 'start':
      return constant(scope.startMs / 1000);
    case 'end':
      return constant(scope.endMs / 1000);
    case 'step':
      return constant(scope.stepMs / 1000);
    case 'range':
      return constant(scope.rangeMs / 1000);
    case 'min_of':
    case 'max_of': {
      const [left, right] = expr.args.map(arg => planner.scalar(arg, grid));
      return new ComputedScalar(left!, right!, expr.name === 'min_of' ? minOf : maxOf);
    }
    case 'scalar':
      return new VectorScalar(planner.vector(expr.args[0]!, grid), grid.count);
    default:
      throw new OutpostError('execution', `function ${expr.name}() is not supported`);
  }
}

/** A change of each cell, with the other arguments as scalars. */
function planMap(
  planner: Planner,
  expr: CallExpr,
  change: BlockChange,
  grid: Grid,
): VectorOperator {
  const [vector, ...rest] = expr.args;
  return new MapOperator(
    planner.scope.execution,
    planner.vector(vector!, grid, { func: expr.name }),
    { change, scalars: rest.map(arg => planner.scalar(arg, grid)), keepName: false },
  );
}

/** A function of windows. */
function planRangeCall(
  planner: Planner,
  expr: CallExpr,
  grid: Grid,
  { name, keepName }: { readonly name: string; readonly keepName: boolean },
): VectorOperator {
  const { execution } = planner.scope;
  const matrix = expr.args.find(arg => typeOf(arg) === 'matrix')!;
  const { source, shape, bare } = planner.range(matrix, grid, { func: name });
  const scalarArgs = expr.args.filter(arg => typeOf(arg) === 'scalar');
  const scalars = scalarArgs.map(arg => planner.scalar(arg, grid));
  const values: Float64Array[] = [];
  const context: RangeContext = {
    scalars: values,
    argSpans: expr.args.map(arg => arg.span),
    annotate: (kind, message) => execution.annotations.add(kind, message, matrix.span),
    annotateAt: (kind, message, span) => execution.annotations.add(kind, message, span),
  };
  let kernel: RowKernel = new RangeKernel(
    shape,
    rangeFunction(expr, name, matrix)(context),
    context,
  );
  const { counts } = planner.scope;
  if (counts) {
    const { ends, rangeMs, beforeMs, afterMs } = shape;
    const windows = { ends, beforeMs: rangeMs + beforeMs, afterMs };
    kernel = new CountedRanges(kernel, { counts, bare }, windows);
  }
  const prepare = async (): Promise<void> => {
    for (const scalar of scalars) values.push(await scalar.values());
  };
  const dispose = (): void => {
    for (const scalar of scalars) scalar.close();
  };
  const steps = grid.count;
  return new WindowOperator(execution, source, kernel, { steps, keepName, prepare, dispose });
}

/** The function by name, in the form that suits an anchored or smoothed range. Throws `execution`. */
function rangeFunction(expr: CallExpr, name: string, matrix: Expr): RangeFunctionFactory {
  const plain = RANGE_FUNCTIONS.get(name)!;
  const arg = withoutParens(matrix);
  const extension = arg.kind === 'matrix-selector' ? arg.selector.extension : null;
  if (extension === null) return plain;
  const allowed = EXTENDED_FUNCTIONS[extension];
  if (!allowed.includes(expr.name)) {
    throw new OutpostError(
      'execution',
      `${extension} modifier can only be used with: ${allowed.join(', ')} - not with ${expr.name}`,
    );
  }
  return extendedFunction(name, extension, plain);
}

type CallPlan = (planner: Planner, expr: CallExpr, grid: Grid) => VectorOperator;

const VECTOR_CALLS: Readonly<Record<string, CallPlan>> = {
  vector: (planner, expr, grid) =>
    new ScalarVector(planner.scalar(expr.args[0]!, grid), ONE(), DISTINCT),
  timestamp: planTimestamp,
  absent: (planner, expr, grid) => {
    const [arg] = expr.args;
    const input = planner.vector(arg!, grid, { func: 'absent' });
    return newAbsent(planner.scope.execution, input, arg!, grid.count);
  },
  absent_over_time: (planner, expr, grid) => {
    const input = planRangeCall(planner, expr, grid, { name: 'present_over_time', keepName: true });
    return newAbsent(planner.scope.execution, input, expr.args[0]!, grid.count);
  },
  label_replace: (planner, expr, grid) => planLabels(planner, expr, grid, labelReplace),
  label_join: (planner, expr, grid) => planLabels(planner, expr, grid, labelJoin),
  sort: (planner, expr, grid) => planSort(planner, expr, grid, valueOrder(1)),
  sort_desc: (planner, expr, grid) => planSort(planner, expr, grid, valueOrder(-1)),
  sort_by_label: (planner, expr, grid) => planSort(planner, expr, grid, labelOrder(expr, 1)),
  sort_by_label_desc: (planner, expr, grid) => planSort(planner, expr, grid, labelOrder(expr, -1)),
  histogram_quantile: (planner, expr, grid) => {
    const [quantile, input] = expr.args;
    const question = { kind: 'quantile', spans: [quantile!.span] } as const;
    return planSummary(planner, grid, { question, input: input!, scalars: [quantile!] });
  },
  histogram_quantiles: (planner, expr, grid) => {
    const [input, label, ...scalars] = expr.args;
    const spans = scalars.map(arg => arg.span);
    const question = { kind: 'quantiles', label: stringOf(label!), spans } as const;
    return planSummary(planner, grid, { question, input: input!, scalars });
  },
  histogram_fraction: (planner, expr, grid) => {
    const [lower, upper, input] = expr.args;
    const question = { kind: 'fraction' } as const;
    return planSummary(planner, grid, { question, input: input!, scalars: [lower!, upper!] });
  },
  info: planInfo,
  start_timestamp: planStartTimestamp,
};

/** Sample times for a plain selector, evaluation times for anything else. */
function planTimestamp(planner: Planner, expr: CallExpr, grid: Grid): VectorOperator {
  const arg = withoutParens(expr.args[0]!);
  if (arg.kind === 'vector-selector') {
    const around = { func: 'timestamp' };
    return planVectorSelector(arg, grid, planner.scope, { around, answer: 'time' });
  }
  return new MapOperator(planner.scope.execution, planner.vector(arg, grid), {
    change: (block, scalars) => {
      const times = scalars[0]!;
      for (let row = 0; row < block.rows.length; row++) block.values.set(times, row * block.steps);
      block.histograms = null;
    },
    scalars: [new TimeScalar(grid)],
    keepName: false,
  });
}

/** Start times are known of plain selectors alone, and where the engine looks at them. */
function planStartTimestamp(planner: Planner, expr: CallExpr, grid: Grid): VectorOperator {
  const arg = withoutParens(expr.args[0]!);
  if (arg.kind !== 'vector-selector' || !planner.scope.execution.semantics.startTimes) {
    return planMap(planner, expr, block => block.present.fill(0), grid);
  }
  const around = { func: expr.name };
  return planVectorSelector(arg, grid, planner.scope, { around, answer: 'start-time' });
}

/** Info series are looked at when the first selector of the enriched expression is. */
function planInfo(planner: Planner, expr: CallExpr, grid: Grid): VectorOperator {
  const [base, labels] = expr.args;
  const at = firstSelectorTime(base!, null);
  const template = labels?.kind === 'vector-selector' ? labels : null;
  return newInfo(planner.scope.execution, planner.vector(base!, grid), {
    matchers: template?.matchers ?? null,
    steps: grid.count,
    select: matchers =>
      planInfoSeries(matchers, grid, planner.scope, at ?? { offsets: [], at: null }),
  });
}

function stringOf(expr: Expr): string {
  const inner = withoutParens(expr);
  if (inner.kind !== 'string') throw new OutpostError('execution', 'expected a string literal');
  return inner.value;
}

function planLabels(
  planner: Planner,
  expr: CallExpr,
  grid: Grid,
  relabel: typeof labelReplace,
): VectorOperator {
  const [vector, ...rest] = expr.args;
  const texts = rest.map(stringOf);
  const input = planner.vector(vector!, grid);
  const change = { relabel: relabel(texts), target: texts[0]! };
  return new LabelOperator(planner.scope.execution, input, change);
}

function valueOrder(sign: 1 | -1): SortOptions {
  return { order: byValue(sign), floatsOnly: true };
}

function labelOrder(expr: CallExpr, sign: 1 | -1): SortOptions {
  return { order: byLabels(expr.args.slice(1).map(stringOf), sign), floatsOnly: false };
}

function planSort(
  planner: Planner,
  expr: CallExpr,
  grid: Grid,
  options: SortOptions,
): VectorOperator {
  const { execution, instant } = planner.scope;
  const input = planner.vector(expr.args[0]!, grid, { func: expr.name });
  if (instant && grid.count === 1) return newSort(execution, input, options);
  execution.annotations.add(
    'warning',
    'sort is ineffective for range queries since results are always ordered by labels',
    expr.span,
  );
  const change: BlockChange = block => {
    if (options.floatsOnly) dropHistograms(block);
  };
  return new MapOperator(execution, input, { change, scalars: [], keepName: true });
}

function planSummary(
  planner: Planner,
  grid: Grid,
  ask: {
    readonly question: HistogramQuestion;
    readonly input: Expr;
    readonly scalars: readonly Expr[];
  },
): VectorOperator {
  return newHistogramSummary(planner.scope.execution, planner.vector(ask.input, grid), {
    question: ask.question,
    scalars: ask.scalars.map(arg => planner.scalar(arg, grid)),
    span: ask.input.span,
    steps: grid.count,
  });
}
