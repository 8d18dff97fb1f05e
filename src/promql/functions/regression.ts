// Straight lines and smoothing through a window: deriv, predict_linear, double_exponential_smoothing.

import { formatShort } from '../../encoding/format-float.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { KahanSum } from '../go-math.ts';
import type { RangeFunctionFactory, Window } from './range-function.ts';

const sumX = new KahanSum();
const sumY = new KahanSum();
const sumXY = new KahanSum();
const sumX2 = new KahanSum();

/** Reused result of `fitLine`. */
const line = { slope: 0, intercept: 0 };

/** Least squares with x in seconds from `originMs`. */
function fitLine(window: Window, originMs: number): void {
  const { times, values, from, to } = window;
  const first = values[from]!;
  let constant = true;
  for (const sum of [sumX, sumY, sumXY, sumX2]) sum.reset();
  for (let i = from; i < to; i++) {
    const y = values[i]!;
    if (constant && i > from && y !== first) constant = false;
    const x = (times[i]! - originMs) / 1000;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (constant) {
    const finite = Number.isFinite(first);
    line.slope = finite ? 0 : Number.NaN;
    line.intercept = finite ? first : Number.NaN;
    return;
  }
  const n = to - from;
  const x = sumX.value;
  const y = sumY.value;
  const covariance = sumXY.value - (x * y) / n;
  const variance = sumX2.value - (x * x) / n;
  line.slope = covariance / variance;
  line.intercept = y / n - (line.slope * x) / n;
}

function derivative(window: Window): number {
  if (window.to - window.from < 2) return window.none();
  // The first sample as origin keeps the numbers small.
  fitLine(window, window.times[window.from]!);
  return line.slope;
}

function factorIn01(value: number, what: string): number {
  if (value > 0 && value < 1) return value;
  throw new OutpostError(
    'execution',
    `invalid ${what} factor. Expected: 0 < ${what === 'smoothing' ? 'sf' : 'tf'} < 1, got: ${formatShort(value)}`,
  );
}

/** Holt's linear method. */
function smooth(window: Window, level: number, trend: number): number {
  const { values, from, to } = window;
  if (to - from < 2) return window.none();
  let before = 0;
  let current = values[from]!;
  let slope = values[from + 1]! - values[from]!;
  for (let i = from + 1; i < to; i++) {
    const x = level * values[i]!;
    if (i > from + 1) slope = trend * (current - before) + (1 - trend) * slope;
    const y = (1 - level) * (current + slope);
    before = current;
    current = x + y;
  }
  return current;
}

export const REGRESSIONS: Readonly<Record<string, RangeFunctionFactory>> = {
  deriv: () => ({ floats: derivative }),
  predict_linear: context => ({
    floats(window) {
      if (window.to - window.from < 2) return window.none();
      fitLine(window, window.evalMs);
      return line.slope * context.scalars[0]![window.step]! + line.intercept;
    },
  }),
  double_exponential_smoothing: context => ({
    floats(window) {
      const level = factorIn01(context.scalars[0]![window.step]!, 'smoothing');
      const trend = factorIn01(context.scalars[1]![window.step]!, 'trend');
      return smooth(window, level, trend);
    },
  }),
};
