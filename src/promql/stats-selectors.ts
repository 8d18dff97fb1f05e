// Selectors of native histograms of which only count and sum are looked at.

import { childrenOf, type Expr, type VectorSelector } from './ast.ts';

const TOTALS: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const BUCKETS: ReadonlySet<string> = new Set([
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
]);

/** The selectors below histogram_count and its like that nothing between needs the buckets of. */
export function statsOnlySelectors(expr: Expr): ReadonlySet<VectorSelector> {
  const found = new Set<VectorSelector>();
  collect(expr, false, found);
  return found;
}

function collect(expr: Expr, stats: boolean, found: Set<VectorSelector>): void {
  if (expr.kind === 'vector-selector') {
    if (stats) found.add(expr);
    return;
  }
  const below = belowOf(expr, stats);
  for (const child of childrenOf(expr)) collect(child, below, found);
}

function belowOf(expr: Expr, stats: boolean): boolean {
  if (expr.kind === 'call' && TOTALS.has(expr.name)) return true;
  if (expr.kind === 'call' && BUCKETS.has(expr.name)) return false;
  if (expr.kind === 'subquery') return false;
  if (expr.kind === 'binary' && (expr.op === '</' || expr.op === '>/')) return false;
  return stats;
}
