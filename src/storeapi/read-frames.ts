// A streaming call read whole, for answers that are small: bounded in bytes and in silence.

import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { formatSize } from '../encoding/units.ts';
import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { fromStatus, silence } from './status.ts';

/** Most bytes of such an answer. */
export const FRAMES_BYTES_MAX = 64 * 1024 * 1024;

export interface ReadFramesOptions {
  readonly clock: Clock;
  /** Longest silence of the peer, ms. */
  readonly frameTimeoutMs: number;
  readonly signal?: AbortSignal;
}

/** All frames of a call. Throws OutpostError, and cancels the call then. */
export function readFrames(
  call: ClientReadableStream<Buffer>,
  { clock, frameTimeoutMs, signal }: ReadFramesOptions,
): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const frames: Uint8Array[] = [];
    let bytes = 0;
    const settle = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: OutpostError): void => {
      settle();
      reject(error);
      call.cancel();
    };
    const wait = (): (() => void) =>
      clock.after(frameTimeoutMs, () => giveUp(silence(frameTimeoutMs)));
    let cancelTimer = wait();
    const onAbort = (): void => giveUp(OutpostError.from(signal!.reason));
    call.on('data', (frame: Buffer) => {
      cancelTimer();
      bytes += frame.length;
      if (bytes > FRAMES_BYTES_MAX) {
        const limit = formatSize(FRAMES_BYTES_MAX);
        return giveUp(new OutpostError('limit-exceeded', `the answer is larger than ${limit}`));
      }
      frames.push(frame);
      cancelTimer = wait();
    });
    call.on('end', () => {
      settle();
      resolve(frames);
    });
    // Comes after a cancellation too, when an earlier reason counts.
    call.on('error', (error: ServiceError) => {
      settle();
      reject(fromStatus(error));
    });
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
