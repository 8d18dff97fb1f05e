// Parts of the language that servers switch on: texts that use them are refused where they are off.

import { type AggregateOp, childrenOf, type Expr } from './ast.ts';
import { SIGNATURES } from './functions/signatures.ts';
import { ParseError } from './parse-error.ts';

/** What of the language may still change, and is refused unless it is switched on. */
export interface LanguageSwitches {
  /** Functions and aggregations. */
  readonly experimentalFunctions?: boolean;
  /** `anchored` and `smoothed`. */
  readonly extendedRanges?: boolean;
  /** `fill`, `fill_left` and `fill_right`. */
  readonly fillModifiers?: boolean;
}

/** Everything. */
export const ALL_SWITCHES: Required<LanguageSwitches> = {
  experimentalFunctions: true,
  extendedRanges: true,
  fillModifiers: true,
};

const EXPERIMENTAL_AGGREGATIONS: ReadonlySet<AggregateOp> = new Set(['limitk', 'limit_ratio']);

/** Refuses what is not switched on. Throws ParseError at the first, in the order of reading. */
export function refuseDisabled(text: string, expr: Expr, switches: LanguageSwitches): void {
  for (const child of childrenOf(expr)) refuseDisabled(text, child, switches);
  const problem = problemOf(expr, switches);
  if (problem !== null) throw new ParseError(text, expr.span, problem);
}

function problemOf(expr: Expr, switches: LanguageSwitches): string | null {
  if (!switches.experimentalFunctions) {
    const flag = '--enable-feature=promql-experimental-functions';
    if (expr.kind === 'call' && SIGNATURES.get(expr.name)?.experimental) {
      return `function "${expr.name}" is not enabled; it is experimental and must be enabled with ${flag}`;
    }
    if (expr.kind === 'aggregate' && EXPERIMENTAL_AGGREGATIONS.has(expr.op)) {
      return `${expr.op}() is experimental and must be enabled with ${flag}`;
    }
  }
  if (expr.kind === 'vector-selector' && expr.extension !== null && !switches.extendedRanges) {
    return `${expr.extension} modifier is experimental and not enabled; it must be enabled with --enable-feature=promql-extended-range-selectors`;
  }
  if (expr.kind === 'binary' && !switches.fillModifiers) {
    const { fillLeft, fillRight } = expr.matching;
    if (fillLeft !== null || fillRight !== null) {
      return 'binop fill modifiers are experimental and not enabled; they must be enabled with --enable-feature=promql-binop-fill-modifiers';
    }
  }
  return null;
}
