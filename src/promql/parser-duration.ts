// Durations inside brackets and after `offset`, which may be computed.

import type { DurationExpr, Span } from './ast.ts';
import type { SyntaxNode } from './lezer.ts';
import { ParseError } from './parse-error.ts';
import { numberOrDuration, type Source, textOf } from './parser-source.ts';

/** Seconds beyond which a length of time cannot be held in nanoseconds. */
const SECONDS_MAX = 2 ** 63 / 1e9;

const OPS = ['+', '-', '*', '/', '%', '^'] as const;

/** Reads a duration node. Throws ParseError for numbers out of range. */
export function readDuration(source: Source, node: SyntaxNode): DurationExpr {
  const span: Span = { start: node.start, end: node.end };
  const [first, second, third] = node.children;
  if (!first) return readLiteral(source, node);
  switch (first.name) {
    case 'NumberDurationLiteralInDurationContext':
      return readLiteral(source, first);
    case 'DurationStep':
      return { kind: 'call', name: 'step', span };
    case 'DurationRange':
      return { kind: 'call', name: 'range', span };
    case 'DurationMinOf':
    case 'DurationMaxOf':
      return {
        kind: 'choice',
        name: first.name === 'DurationMinOf' ? 'min_of' : 'max_of',
        left: readDuration(source, second!),
        right: readDuration(source, third!),
        span,
      };
    case 'UnaryOp':
      return negation(
        textOf(source, first) === '-' ? '-' : '+',
        readDuration(source, second!),
        span,
      );
    default:
      return readNested(source, node, span);
  }
}

function readNested(source: Source, node: SyntaxNode, span: Span): DurationExpr {
  const [first, second, third] = node.children;
  const left = readDuration(source, first!);
  if (!second) {
    return first!.start === node.start ? left : { kind: 'parens', inner: left, span };
  }
  const text = textOf(source, second);
  const op = OPS.find(known => known === text)!;
  return { kind: 'operation', op, left, right: readDuration(source, third!), span };
}

function negation(op: '+' | '-', operand: DurationExpr, span: Span): DurationExpr {
  if (operand.kind !== 'literal') return { kind: 'negation', op, operand, span };
  return { ...operand, seconds: op === '-' ? -operand.seconds : operand.seconds, span };
}

function readLiteral(source: Source, node: SyntaxNode): DurationExpr {
  const span: Span = { start: node.start, end: node.end };
  const { value, duration } = numberOrDuration(source, node, textOf(source, node));
  if (!(Math.abs(value) <= SECONDS_MAX)) {
    throw new ParseError(source.text, span, 'duration out of range');
  }
  return { kind: 'literal', seconds: value, unit: duration, span };
}

/** A duration that must not be zero or negative where that can be told from the text. */
export function readPositiveDuration(source: Source, node: SyntaxNode): DurationExpr {
  const duration = readDuration(source, node);
  if (duration.kind === 'literal' && duration.seconds <= 0) {
    throw new ParseError(source.text, duration.span, 'duration must be greater than 0');
  }
  return duration;
}
