// OutpostError to and from gRPC status: the one place that maps them.

import { type ServiceError, status } from '@grpc/grpc-js';
import { type ErrorCode, OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';

const STATUS: Record<ErrorCode, status> = {
  'bad-data': status.INVALID_ARGUMENT,
  'out-of-order': status.FAILED_PRECONDITION,
  'out-of-bounds': status.OUT_OF_RANGE,
  'duplicate-sample': status.ALREADY_EXISTS,
  'not-found': status.NOT_FOUND,
  // Thanos answers ABORTED where a call cannot be answered in full and a part is not wanted.
  execution: status.ABORTED,
  'limit-exceeded': status.RESOURCE_EXHAUSTED,
  canceled: status.CANCELLED,
  timeout: status.DEADLINE_EXCEEDED,
  unavailable: status.UNAVAILABLE,
  corrupt: status.DATA_LOSS,
  locked: status.FAILED_PRECONDITION,
  internal: status.INTERNAL,
};

const CODES = new Map<status, ErrorCode>([
  [status.INVALID_ARGUMENT, 'bad-data'],
  [status.NOT_FOUND, 'not-found'],
  [status.ABORTED, 'execution'],
  [status.RESOURCE_EXHAUSTED, 'limit-exceeded'],
  // Our own cancellations are known before; this one is a peer's that is going away.
  [status.CANCELLED, 'unavailable'],
  [status.DEADLINE_EXCEEDED, 'timeout'],
  [status.UNAVAILABLE, 'unavailable'],
  [status.DATA_LOSS, 'corrupt'],
]);

/** The status a call ends with because of `thrown`. */
export function toStatus(thrown: unknown): { code: status; details: string } {
  const error = OutpostError.from(thrown);
  return { code: STATUS[error.code], details: error.message };
}

/** How grpc-js begins the details of a call that found no connection. */
const NOT_CONNECTED = 'No connection established';

/** The error a client's call has failed with. */
export function fromStatus(error: ServiceError): OutpostError {
  const code = CODES.get(error.code) ?? 'internal';
  const details = error.details.startsWith(NOT_CONNECTED)
    ? `connect: ${systemReason(error.details)}`
    : error.details || `grpc status ${status[error.code]}`;
  return new OutpostError(code, details, { cause: error });
}

/** The error of a peer that has kept silent for too long. */
export function silence(timeoutMs: number): OutpostError {
  return new OutpostError('timeout', `deadline exceeded: nothing came for ${timeoutMs} ms`);
}
