// What a worker answers, as plain data. Errors lose their class between threads, so codes travel apart.

import { type ErrorCode, OutpostError } from '../../lifecycle/errors.ts';
import type { BlockMeta } from '../block/meta.ts';

/** The one message of a worker. */
export type JobReply =
  | { readonly ok: true; readonly meta: BlockMeta | null }
  | { readonly ok: false; readonly error: SentError };

/** An error on its way between threads. */
export interface SentError {
  /** Of an OutpostError; else null. */
  readonly outpostCode: ErrorCode | null;
  /** Of the operating system, for instance ENOSPC; else null. */
  readonly systemCode: string | null;
  readonly message: string;
  readonly stack: string | null;
}

/** Takes an error apart. */
export function sendError(thrown: unknown): SentError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const outpostCode = error instanceof OutpostError ? error.code : null;
  return {
    outpostCode,
    systemCode: outpostCode === null ? code : null,
    message: error.message,
    stack: error.stack ?? null,
  };
}

/** Puts it together again; the stack stays that of the other thread. */
export function receiveError(sent: SentError): Error {
  const error = sent.outpostCode
    ? new OutpostError(sent.outpostCode, sent.message)
    : Object.assign(new Error(sent.message), sent.systemCode && { code: sent.systemCode });
  if (sent.stack !== null) error.stack = sent.stack;
  return error;
}
