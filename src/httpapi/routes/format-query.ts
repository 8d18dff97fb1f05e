// A query in its canonical spelling.

import { OutpostError } from '../../lifecycle/errors.ts';
import { parseQuery } from '../../promql/parser.ts';
import { printExpr } from '../../promql/printer.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/format_query`. */
export function formatQueryRoutes(): ApiRoute[] {
  return [
    {
      methods: ['GET', 'POST'],
      path: '/api/v1/format_query',
      handle: ({ parameters }) => ({ kind: 'data', data: format(parameters.text('query')) }),
    },
  ];
}

function format(text: string): string {
  try {
    return printExpr(parseQuery(text));
  } catch (error) {
    const isTextWrong = error instanceof OutpostError && error.code === 'bad-data';
    throw isTextWrong ? invalidParameter('query', error.message) : error;
  }
}
