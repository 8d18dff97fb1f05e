// A query as text: its canonical spelling and its tree.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { Expr } from '../../promql/ast.ts';
import type { Engine } from '../../promql/engine.ts';
import { prettyExpr } from '../../promql/pretty-printer.ts';
import { astJson } from '../ast-json.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/format_query` and `/api/v1/parse_query`. */
export function queryTextRoutes(options: Pick<ApiOptions, 'engine'>): ApiRoute[] {
  const { engine } = options;
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/format_query',
      handle: ({ parameters }) => ({ kind: 'data', data: prettyExpr(parsed(engine, parameters)) }),
    },
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/parse_query',
      handle: ({ parameters }) => ({ kind: 'data', data: astJson(parsed(engine, parameters)) }),
    },
  ];
}

function parsed(engine: Engine, parameters: Parameters): Expr {
  try {
    return engine.parse(parameters.text('query'));
  } catch (error) {
    const isTextWrong = error instanceof OutpostError && error.code === 'bad-data';
    throw isTextWrong ? invalidParameter('query', error.message) : error;
  }
}
