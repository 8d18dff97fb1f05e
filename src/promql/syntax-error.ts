// Says what is wrong with a text that the grammar refuses. Runs only after a parse has gone wrong, so it
// reads the text again, token by token, up to the place of the trouble.

import type { SyntaxNode } from './lezer.ts';
import { ParseError } from './parse-error.ts';

interface Token {
  readonly kind: string;
  readonly text: string;
  readonly start: number;
}

const TOKENS: readonly (readonly [kind: string, shape: RegExp])[] = [
  ['space', /(?:\s+|#[^\n]*)/y],
  ['duration', /(?:\d+(?:ms|[smhdwy]))+/y],
  ['number', /0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y],
  ['identifier', /[a-zA-Z_:][a-zA-Z0-9_:]*/y],
  ['string', /"(?:\\[\s\S]|[^\\"\n])*"|'(?:\\[\s\S]|[^\\'\n])*'|`[^`]*`/y],
  ['operator', /==|!=|<=|<\/|>=|>\/|=~|!~|[-+*/%^<>]/y],
  ['punctuation', /[(){}[\],:=@]/y],
];

const AGGREGATORS = new Set(
  'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio'.split(
    ' ',
  ),
);
const KEYWORDS = new Set(
  'offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool'.split(
    ' ',
  ),
);
const WORD_OPERATORS = new Set(['and', 'or', 'unless', 'atan2']);

/** What may follow, by the construct that was being read. */
const EXPECTATIONS: Readonly<Record<string, string>> = {
  AggregateExpr: ' in aggregation',
  MatrixSelector: ' in subquery or range, expected ":" or "]"',
  SubqueryExpr: ' in subquery selector, expected "]"',
  DurationExpr: ' in subquery or range selector, expected number, duration, step(), or range()',
  NumberDurationLiteralInDurationContext:
    ' in subquery or range selector, expected number, duration, step(), or range()',
  OffsetExpr: ' in offset, expected number, duration, step(), or range()',
  StepInvariantExpr: ' in @, expected timestamp',
};

/** The error for a tree with error nodes. */
export function syntaxError(text: string, root: SyntaxNode): ParseError {
  const found = firstError(root, null);
  const at = found === null ? text.length : found.node.start;
  const lexical = lexicalError(text, at);
  if (lexical) return lexical;
  const token = tokenAt(text, at);
  const unknown = unknownFunction(text, token);
  if (unknown) return unknown;
  const span = { start: token.start, end: token.start + token.text.length };
  const context = found === null ? '' : contextOf(text, found.node, found.parent);
  if (token.kind === 'end' && text.trim() === '')
    return new ParseError(text, { start: 0, end: 0 }, 'no expression found in input');
  return new ParseError(text, span, `unexpected ${describe(token)}${context}`);
}

interface Found {
  readonly node: SyntaxNode;
  readonly parent: SyntaxNode | null;
}

function firstError(node: SyntaxNode, parent: SyntaxNode | null): Found | null {
  if (node.error) return { node, parent };
  for (const child of node.children) {
    const found = firstError(child, node);
    if (found) return found;
  }
  return null;
}

function contextOf(text: string, error: SyntaxNode, parent: SyntaxNode | null): string {
  if (parent === null) return '';
  const before = text.slice(0, error.start).trimEnd();
  switch (parent.name) {
    case 'LabelMatchers':
      return / *[{,]$/.test(before)
        ? ' in label matching, expected identifier or "}"'
        : ' in label matching, expected "," or "}"';
    case 'UnquotedLabelMatcher':
    case 'QuotedLabelMatcher':
      return parent.children.some(child => child.name === 'MatchOp')
        ? ' in label matching, expected string'
        : ' in label matching, expected label matching operator';
    case 'GroupingLabels':
      if (text[parent.start] !== '(') return ' in grouping opts, expected "("';
      return /[(,]$/.test(before)
        ? ' in grouping opts, expected label'
        : ' in grouping opts, expected "," or ")"';
    default:
      return EXPECTATIONS[parent.name] ?? '';
  }
}

/** `name(…)` where the name is no function. */
function unknownFunction(text: string, token: Token): ParseError | null {
  if (token.text !== '(') return null;
  const name = /([a-zA-Z_:][a-zA-Z0-9_:]*)\s*$/.exec(text.slice(0, token.start));
  if (!name) return null;
  const span = { start: name.index, end: name.index + name[1]!.length };
  return new ParseError(text, span, `unknown function with name ${JSON.stringify(name[1])}`);
}

/** The first thing up to `limit` that is no token, or brackets left open at the end. */
function lexicalError(text: string, limit: number): ParseError | null {
  let parens = 0;
  let brace = false;
  let bracket = false;
  let at = 0;
  while (at < text.length) {
    const token = tokenAt(text, at, false);
    if (token.kind === 'bad' && token.start <= Math.max(limit, at)) return badToken(text, token);
    const span = { start: token.start, end: text.length };
    if (token.text === '(') parens++;
    if (token.text === ')' && --parens < 0) {
      return new ParseError(text, span, "unexpected right parenthesis ')'");
    }
    if (token.text === '{') brace = true;
    if (token.text === '}') brace = false;
    if (token.text === '[') bracket = true;
    if (token.text === ']') {
      if (!bracket) return new ParseError(text, span, "unexpected right bracket ']'");
      bracket = false;
    }
    if (token.start >= limit && token.kind !== 'space') return null;
    at = token.start + Math.max(token.text.length, 1);
  }
  const end = { start: text.length, end: text.length };
  if (brace) return new ParseError(text, end, 'unexpected end of input inside braces');
  if (parens > 0) return new ParseError(text, end, 'unclosed left parenthesis');
  return bracket ? new ParseError(text, end, 'unclosed left bracket') : null;
}

function badToken(text: string, token: Token): ParseError {
  const span = { start: token.start, end: text.length };
  if (token.text === '"' || token.text === "'") {
    return new ParseError(text, span, 'unterminated quoted string');
  }
  if (token.text === '`') return new ParseError(text, span, 'unterminated raw string');
  return new ParseError(text, span, `unexpected character: '${token.text}'`);
}

/** The token that starts at or after `offset`; with `skip`, spaces and comments are passed over. */
function tokenAt(text: string, offset: number, skip = true): Token {
  let start = offset;
  while (start < text.length) {
    const token = matchToken(text, start);
    if (token.kind !== 'space' || !skip) return token;
    start += token.text.length;
  }
  return { kind: 'end', text: '', start: text.length };
}

function matchToken(text: string, start: number): Token {
  for (const [kind, shape] of TOKENS) {
    shape.lastIndex = start;
    const match = shape.exec(text);
    if (match) return { kind, text: match[0], start };
  }
  return { kind: 'bad', text: String.fromCodePoint(text.codePointAt(start)!), start };
}

function describe(token: Token): string {
  const word = token.text.toLowerCase();
  const quoted =
    token.text.length > 10 && token.kind !== 'identifier'
      ? `${JSON.stringify(token.text.slice(0, 10))}...`
      : JSON.stringify(token.text);
  if (token.kind === 'end') return 'end of input';
  if (token.kind === 'operator' || WORD_OPERATORS.has(word)) return `<op:${token.text}>`;
  if (token.kind === 'identifier') {
    if (AGGREGATORS.has(word)) return `<aggr:${token.text}>`;
    if (KEYWORDS.has(word)) return `<${token.text}>`;
    return `identifier ${quoted}`;
  }
  if (token.kind === 'punctuation' || token.kind === 'bad') return quoted;
  return `${token.kind} ${quoted}`;
}
