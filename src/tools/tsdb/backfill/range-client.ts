// Evaluates over another server's HTTP API: /api/v1/query_range of Prometheus and of everything like it.

import { OutpostError } from '../../../lifecycle/errors.ts';
import { childrenOf, type Expr } from '../../../promql/ast.ts';
import { parseQuery } from '../../../promql/parser.ts';
import type { CounterResetHint } from '../../../storage/histogram.ts';
import { matrixOf } from './range-json.ts';
import type { EvaluateRange, RangeAnswer } from './rules-input.ts';

const PATH = '/api/v1/query_range';
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const ERROR_TEXT_MAX = 300;
/** Functions of a range that hand out what is in it. */
const KEEPING = ['last_over_time', 'first_over_time'];

/** Who is asked. */
export interface RangeClientOptions {
  /** The server: `http://host:9090`, with the path prefix where it has one. */
  readonly url: string;
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Asks the server; an answer may have 256 MiB. Throws `unavailable` with what the server says where it
 * refuses, `corrupt` for an answer that is not one, `limit-exceeded` for a larger one.
 */
export function rangeClient({ url, headers, signal }: RangeClientOptions): EvaluateRange {
  const address = `${url.replace(/\/+$/, '')}${PATH}`;
  return async (expr, { startMs, endMs, stepMs }) => {
    const body = new URLSearchParams({
      query: expr,
      start: seconds(startMs),
      end: seconds(endMs),
      step: seconds(stepMs),
    });
    try {
      const response = await fetch(address, { method: 'POST', headers, body, signal });
      return answerOf(await textOf(response), response, {
        address,
        hint: hintOf(parseQuery(expr)),
      });
    } catch (cause) {
      if (signal.aborted) throw OutpostError.from(signal.reason);
      if (cause instanceof OutpostError) throw cause;
      const reason = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause);
      throw new OutpostError('unavailable', `ask ${address}: ${reason}`, { cause });
    }
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

async function textOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece);
    length += piece.length;
    if (length <= ANSWER_BYTES_MAX) continue;
    throw new OutpostError(
      'limit-exceeded',
      'an answer of more than 256 MiB: take a longer --eval-interval, or fewer series in a rule',
    );
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** JSON does not tell counters from gauges; what is taken over a range is a gauge. */
function hintOf(expr: Expr): CounterResetHint {
  if (expr.kind === 'call' && KEEPING.includes(expr.name)) return 'unknown';
  if (expr.kind === 'matrix-selector' || expr.kind === 'subquery') return 'gauge';
  return childrenOf(expr).some(child => hintOf(child) === 'gauge') ? 'gauge' : 'unknown';
}

function answerOf(
  text: string,
  response: Response,
  { address, hint }: { readonly address: string; readonly hint: CounterResetHint },
): RangeAnswer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = null;
  }
  const { status, error, data, warnings } = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (!response.ok || status !== 'success') {
    const said = typeof error === 'string' ? error : text.trim().slice(0, ERROR_TEXT_MAX);
    throw new OutpostError('unavailable', `ask ${address}: status ${response.status}: ${said}`);
  }
  const series = matrixOf(data, hint);
  if (typeof series === 'string') throw new OutpostError('corrupt', `ask ${address}: ${series}`);
  const told = Array.isArray(warnings) ? warnings.filter(one => typeof one === 'string') : [];
  return { series, warnings: told };
}
