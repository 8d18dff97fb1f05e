// A call to a plugin with one request and a stream of answers, as something to iterate over; what it may
// send is bounded, for nobody vouches for it.

import { type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { asBuffer, callError } from './call-error.ts';

/** How much a call may take. */
export interface StreamLimits {
  /** The call ends by then; no limit where absent. */
  readonly deadlineMs?: number;
  /** Bytes of all answers together. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

export interface StreamCall<Response> {
  readonly path: string;
  /** The encoded request. */
  readonly request: Uint8Array;
  readonly decode: (bytes: Buffer) => Response;
}

/**
 * Yields the answers; ends with the call. Throws OutpostError: the plugin's error, `limit-exceeded` beyond
 * `bytesMax`, `canceled` when the signal aborts. Leaving the loop ends the call.
 */
export async function* readStream<Response>(
  client: Client,
  clock: Clock,
  { path, request, decode }: StreamCall<Response>,
  { deadlineMs, bytesMax, signal }: StreamLimits,
): AsyncGenerator<Response, void> {
  signal.throwIfAborted();
  let bytes = 0;
  const call = client.makeServerStreamRequest(
    path,
    asBuffer,
    (answer: Buffer) => {
      bytes += answer.length;
      return decode(answer);
    },
    request,
    new Metadata(),
    deadlineMs === undefined ? {} : { deadline: clock.now() + deadlineMs },
  );
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const answer of call) {
      if (bytes > bytesMax) {
        throw new OutpostError('limit-exceeded', `call ${path}: more than ${bytesMax} bytes`);
      }
      yield answer as Response;
    }
  } catch (error) {
    if (error instanceof OutpostError) throw error;
    throw callError(path, error as ServiceError);
  } finally {
    signal.removeEventListener('abort', cancel);
    call.cancel();
  }
}
