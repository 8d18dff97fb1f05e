// Errors as Prometheus' API shows them. This is the one place where codes become statuses.

import { type ErrorCode, OutpostError } from '../lifecycle/errors.ts';

/** An error as the API answers it. */
export interface Problem {
  readonly status: number;
  readonly errorType: string;
  readonly message: string;
}

const PROBLEMS: Readonly<Record<ErrorCode, readonly [status: number, errorType: string]>> = {
  'bad-data': [400, 'bad_data'],
  'out-of-order': [400, 'bad_data'],
  'out-of-bounds': [400, 'bad_data'],
  'duplicate-sample': [400, 'bad_data'],
  'not-found': [404, 'not_found'],
  execution: [422, 'execution'],
  'limit-exceeded': [422, 'execution'],
  canceled: [499, 'canceled'],
  timeout: [503, 'timeout'],
  unavailable: [503, 'unavailable'],
  corrupt: [500, 'internal'],
  locked: [500, 'internal'],
  internal: [500, 'internal'],
};

/** Maps anything thrown. */
export function problemOf(thrown: unknown): Problem {
  const error = OutpostError.from(thrown);
  const [status, errorType] = PROBLEMS[error.code];
  return { status, errorType, message: error.message };
}

/** A wrong parameter, in the words Prometheus uses. */
export function invalidParameter(name: string, reason: string): OutpostError {
  return new OutpostError('bad-data', `invalid parameter ${JSON.stringify(name)}: ${reason}`);
}

/** The error envelope. */
export function problemJson({ errorType, message }: Problem): string {
  return JSON.stringify({ status: 'error', errorType, error: message });
}
