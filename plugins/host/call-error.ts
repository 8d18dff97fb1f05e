// What goes wrong in a call to a plugin, as our errors.

import { type ServiceError, status } from '@grpc/grpc-js';
import { type ErrorCode, OutpostError } from '../../src/lifecycle/errors.ts';

const CODES: Readonly<Partial<Record<status, ErrorCode>>> = {
  [status.DEADLINE_EXCEEDED]: 'timeout',
  [status.CANCELLED]: 'canceled',
  [status.UNAVAILABLE]: 'unavailable',
  [status.NOT_FOUND]: 'not-found',
  [status.RESOURCE_EXHAUSTED]: 'limit-exceeded',
};

/** The one place where a plugin's gRPC statuses become codes of ours. */
export function callError(path: string, error: ServiceError): OutpostError {
  const code = CODES[error.code] ?? 'internal';
  return new OutpostError(code, `call ${path}: ${error.details || error.message}`, {
    cause: error,
  });
}

/** True where the plugin does not serve the method that was called. */
export function isUnimplemented(error: unknown): boolean {
  const cause = error instanceof OutpostError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === status.UNIMPLEMENTED;
}

/** The same bytes as grpc-js wants them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
