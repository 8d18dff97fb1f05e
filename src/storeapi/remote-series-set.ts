// The frames of a Series call as a SeriesSet. Frames are read in bursts; a series that came in several
// of them is put together, so a set never has the same labels twice in a row.

import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { MergeScratch, seriesOfChunks } from '../storage/chained-series.ts';
import type { Series, SeriesSet } from '../storage/series.ts';
import { decodeResponse, type SeriesFrame } from './series-codec.ts';
import { fromStatus, silence } from './status.ts';
import type { StringCache } from './string-cache.ts';

const BURST_FRAMES = 64;
// A year of one-second samples is a tenth of this.
const SERIES_BYTES_MAX = 512 * 1024 * 1024;

export interface RemoteSetOptions {
  readonly clock: Clock;
  readonly frameTimeoutMs: number;
  readonly strings: StringCache;
  /** The selection's range, Unix ms, inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly signal?: AbortSignal;
  /** Told of each frame's bytes; what it throws comes out of `next`. */
  readonly onReceived?: (bytes: number) => void;
}

/** Reads a call to its end. What it holds is bounded by the stream's buffer and the peer's frames. */
export class RemoteSeriesSet implements SeriesSet {
  readonly warnings: string[] = [];
  /** Chunks are views of frames that nobody else writes to. */
  readonly lasting = true;
  readonly #call: ClientReadableStream<Buffer>;
  readonly #options: RemoteSetOptions;
  readonly #scratch = new MergeScratch();
  #held: SeriesFrame | null = null;
  #heldBytes = 0;
  #ended = false;
  #error: OutpostError | null = null;
  #wake: (() => void) | null = null;

  constructor(call: ClientReadableStream<Buffer>, options: RemoteSetOptions) {
    this.#call = call;
    this.#options = options;
    call.on('readable', () => this.#wake?.());
    call.on('end', () => {
      this.#ended = true;
      this.#wake?.();
    });
    // Comes after a cancellation too, when an earlier reason counts.
    call.on('error', (error: ServiceError) => this.#fail(fromStatus(error)));
    const { signal } = options;
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#abort, { once: true });
  }

  async next(): Promise<readonly Series[] | null> {
    const { signal } = this.#options;
    // The rest may have come already, but nobody waits for it any more.
    if (signal?.aborted) throw OutpostError.from(signal.reason);
    for (;;) {
      const frames = await this.#burst();
      const complete = frames ? this.#take(frames) : this.#takeHeld();
      if (complete.length > 0) return complete.map(frame => this.#series(frame));
      if (!frames) return null;
    }
  }

  close(): void {
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#held = null;
    if (this.#ended) return;
    this.#ended = true;
    this.#call.cancel();
    this.#wake?.();
  }

  readonly #abort = (): void => {
    this.#fail(OutpostError.from(this.#options.signal!.reason));
    this.#call.cancel();
  };

  #fail(error: OutpostError): void {
    if (this.#ended) return;
    this.#error ??= error;
    this.#wake?.();
  }

  /** The frames that have come, waiting for the first; null at the end. */
  async #burst(): Promise<Buffer[] | null> {
    for (;;) {
      const frames: Buffer[] = [];
      while (frames.length < BURST_FRAMES) {
        const frame = this.#ended ? null : (this.#call.read() as Buffer | null);
        if (!frame) break;
        frames.push(frame);
      }
      if (frames.length > 0) return frames;
      if (this.#error) {
        this.#options.signal?.removeEventListener('abort', this.#abort);
        throw this.#error;
      }
      if (this.#ended) {
        this.#options.signal?.removeEventListener('abort', this.#abort);
        return null;
      }
      await this.#wait();
    }
  }

  #wait(): Promise<void> {
    const { clock, frameTimeoutMs } = this.#options;
    return new Promise(resolve => {
      const cancelTimer = clock.after(frameTimeoutMs, () => {
        this.#fail(silence(frameTimeoutMs));
        this.#call.cancel();
      });
      this.#wake = () => {
        this.#wake = null;
        cancelTimer();
        resolve();
      };
    });
  }

  /** Joins what belongs together; the last series may go on in the next frame and is held. */
  #take(frames: readonly Buffer[]): SeriesFrame[] {
    const complete: SeriesFrame[] = [];
    for (const bytes of frames) {
      this.#options.onReceived?.(bytes.length);
      const { series, warnings } = decodeResponse(bytes, this.#options.strings);
      this.warnings.push(...warnings);
      for (const frame of series) {
        if (this.#held && this.#held.labels.compareTo(frame.labels) === 0) {
          this.#join(this.#held, frame);
          continue;
        }
        if (this.#held) complete.push(this.#held);
        this.#held = frame;
        this.#heldBytes = 0;
      }
    }
    return complete;
  }

  #join(held: SeriesFrame, frame: SeriesFrame): void {
    for (const chunk of frame.chunks) {
      held.chunks.push(chunk);
      this.#heldBytes += chunk.data.length;
    }
    if (this.#heldBytes <= SERIES_BYTES_MAX) return;
    throw new OutpostError(
      'limit-exceeded',
      `read series: more than ${SERIES_BYTES_MAX} bytes of one series, ${held.labels}`,
    );
  }

  #takeHeld(): SeriesFrame[] {
    const held = this.#held;
    this.#held = null;
    return held ? [held] : [];
  }

  #series({ labels, chunks }: SeriesFrame): Series {
    return seriesOfChunks(labels, chunks, this.#options, this.#scratch);
  }
}
