// A query as text: its canonical spelling and its tree.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { Expr } from '../../promql/ast.ts';
import { parseQuery } from '../../promql/parser.ts';
import { printExpr } from '../../promql/printer.ts';
import { astJson } from '../ast-json.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/format_query` and `/api/v1/parse_query`. */
export function queryTextRoutes(): ApiRoute[] {
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/format_query',
      handle: ({ parameters }) => ({ kind: 'data', data: printExpr(parsed(parameters)) }),
    },
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/parse_query',
      handle: ({ parameters }) => ({ kind: 'data', data: astJson(parsed(parameters)) }),
    },
  ];
}

function parsed(parameters: Parameters): Expr {
  try {
    return parseQuery(parameters.text('query'));
  } catch (error) {
    const isTextWrong = error instanceof OutpostError && error.code === 'bad-data';
    throw isTextWrong ? invalidParameter('query', error.message) : error;
  }
}
