// AST to canonical text. Reading the text again gives an equal AST, positions aside.

import { formatPlain, formatShort } from '../encoding/format-float.ts';
import { formatDuration } from '../encoding/units.ts';
import { METRIC_NAME } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';
import { isLegacyLabelName } from '../labels/validate.ts';
import type {
  AggregateExpr,
  AtModifier,
  BinaryExpr,
  DurationExpr,
  Expr,
  MatrixSelector,
  NumberLiteral,
  SubqueryExpr,
  VectorSelector,
} from './ast.ts';
import { quote } from './literals.ts';

/** The canonical text of an expression, on one line. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return printNumber(expr);
    case 'string':
      return quote(expr.value);
    case 'parens':
      return `(${printExpr(expr.inner)})`;
    case 'unary':
      return expr.op + printExpr(expr.operand);
    case 'binary':
      return printBinary(expr);
    case 'aggregate':
      return printAggregate(expr);
    case 'call':
      return `${expr.name}(${expr.args.map(printExpr).join(', ')})`;
    case 'vector-selector':
      return printSelector(expr);
    case 'matrix-selector':
      return printMatrix(expr);
    case 'subquery':
      return printSubquery(expr);
  }
}

function printNumber({ value, duration }: NumberLiteral): string {
  if (duration) return formatDuration(Math.round(value * 1000));
  return formatPlain(value);
}

function printLabels(names: readonly string[]): string {
  return names.map(name => (isLegacyLabelName(name) ? name : quote(name))).join(', ');
}

function printAggregate(expr: AggregateExpr): string {
  const args = expr.param ? [expr.param, expr.operand] : [expr.operand];
  return `${aggregateHead(expr)}(${args.map(printExpr).join(', ')})`;
}

/** What stands before the arguments of an aggregation. */
export function aggregateHead(expr: AggregateExpr): string {
  const grouped = expr.without || expr.grouping.length > 0;
  const clause = grouped
    ? ` ${expr.without ? 'without' : 'by'} (${printLabels(expr.grouping)}) `
    : '';
  return expr.op + clause;
}

function printBinary(expr: BinaryExpr): string {
  return `${printLeft(expr)} ${binaryHead(expr)} ${printExpr(expr.right)}`;
}

// A sign binds less than a power: +Inf ^ x would be read as +(Inf ^ x).
function printLeft({ op, left }: BinaryExpr): string {
  const isInfinity = left.kind === 'number' && left.value === Number.POSITIVE_INFINITY;
  return op === '^' && isInfinity ? 'Inf' : printExpr(left);
}

/** An operator with its modifiers. */
export function binaryHead(expr: BinaryExpr): string {
  const { matching: m, op } = expr;
  const grouped = m.cardinality === 'many-to-one' || m.cardinality === 'one-to-many';
  let text = op + (expr.bool ? ' bool' : '');
  if (m.labels.length > 0 || m.on || grouped) {
    text += ` ${m.on ? 'on' : 'ignoring'} (${printLabels(m.labels)})`;
  }
  if (grouped) {
    const side = m.cardinality === 'many-to-one' ? 'left' : 'right';
    text += ` group_${side} (${printLabels(m.include)})`;
  }
  return text + printFill(m.fillLeft, m.fillRight);
}

function printFill(left: number | null, right: number | null): string {
  if (left !== null && left === right) return ` fill (${formatShort(left, true)})`;
  const leftText = left === null ? '' : ` fill_left (${formatShort(left, true)})`;
  return right === null ? leftText : `${leftText} fill_right (${formatShort(right, true)})`;
}

/** A matcher as the language writes it. */
export function printMatcher(matcher: Matcher): string {
  const name = isLegacyLabelName(matcher.name) ? matcher.name : quote(matcher.name);
  return `${name}${matcher.type}${quote(matcher.value)}`;
}

function printName(selector: VectorSelector): string {
  const conditions = selector.matchers
    .filter(
      m =>
        !(
          selector.name !== '' &&
          m.name === METRIC_NAME &&
          m.type === '=' &&
          m.value === selector.name
        ),
    )
    .map(printMatcher)
    .sort();
  if (conditions.length === 0) return selector.name === '' ? '{}' : selector.name;
  return `${selector.name}{${conditions.join(',')}}`;
}

function printAt(at: AtModifier | null): string {
  if (at === null) return '';
  return at.kind === 'time' ? ` @ ${(at.timeMs / 1000).toFixed(3)}` : ` @ ${at.kind}()`;
}

function printOffset(offset: DurationExpr | null): string {
  // A literal zero says nothing.
  if (offset === null || (offset.kind === 'literal' && offset.seconds === 0)) return '';
  return ` offset ${offset.kind === 'literal' ? printLength(offset.seconds) : printDuration(offset)}`;
}

function printLength(seconds: number): string {
  return formatDuration(Math.round(seconds * 1000));
}

/** A duration in brackets: a plain one is written with units whatever the text used. */
function printBracket(duration: DurationExpr): string {
  return duration.kind === 'literal' ? printLength(duration.seconds) : printDuration(duration);
}

/** A duration expression as the language writes it. */
export function printDuration(duration: DurationExpr): string {
  switch (duration.kind) {
    case 'literal':
      return duration.unit ? printLength(duration.seconds) : formatPlain(duration.seconds);
    case 'call':
      return `${duration.name}()`;
    case 'choice':
      return `${duration.name}(${printDuration(duration.left)}, ${printDuration(duration.right)})`;
    case 'negation':
      return duration.op + printDuration(duration.operand);
    case 'operation':
      return `${printDuration(duration.left)} ${duration.op} ${printDuration(duration.right)}`;
    case 'parens':
      return `(${printDuration(duration.inner)})`;
  }
}

function printSelector(selector: VectorSelector): string {
  const extension = selector.extension === null ? '' : ` ${selector.extension}`;
  return printName(selector) + printAt(selector.at) + extension + printOffset(selector.offset);
}

function printMatrix(expr: MatrixSelector): string {
  const { selector } = expr;
  const extension = selector.extension === null ? '' : ` ${selector.extension}`;
  const range = `[${printBracket(expr.range)}]`;
  return (
    printName(selector) + range + extension + printAt(selector.at) + printOffset(selector.offset)
  );
}

function printSubquery(expr: SubqueryExpr): string {
  return printExpr(expr.inner) + subqueryTail(expr);
}

/** What stands behind the inner expression of a subquery. */
export function subqueryTail(expr: SubqueryExpr): string {
  const step = expr.step === null ? '' : printBracket(expr.step);
  const brackets = `[${printBracket(expr.range)}:${step}]`;
  return brackets + printAt(expr.at) + printOffset(expr.offset);
}
