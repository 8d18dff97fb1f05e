// Appends batches of records to the log. A batch is on file as a whole or not at all: what a failed write
// left behind is cut off again before anything else is written.

import { mkdirSync } from 'node:fs';
import { Scratch } from '../../encoding/scratch.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { systemReason } from '../../lifecycle/system-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { FrameBuffer, type PackedRecord, packRecord, SEGMENT_BYTES } from './framing.ts';
import { type LogFs, nodeLogFs, writeFully } from './log-fs.ts';
import type { LogMetrics } from './log-metrics.ts';
import { listCheckpoints, listSegments, segmentPath } from './segments.ts';
import { syncDirectory } from './sync-directory.ts';

export interface LogWriterOptions {
  readonly logger: Logger;
  readonly monotonic: () => number;
  readonly metrics?: LogMetrics;
  readonly fs?: LogFs;
  readonly segmentBytes?: number;
  /** Compress records of a kibibyte and more with snappy where that makes them smaller. */
  readonly compress?: boolean;
}

/** The one writer of a log directory. */
export class LogWriter {
  readonly #dir: string;
  readonly #options: LogWriterOptions;
  readonly #fs: LogFs;
  readonly #segmentBytes: number;
  readonly #frames = new FrameBuffer();
  /** The compressed records of a batch. */
  readonly #packed = new Scratch();
  #segment: number;
  #fd: number;
  /** End of the last whole batch in the current segment. */
  #position = 0;
  /** True while bytes of a failed batch may lie behind `#position`. */
  #torn = false;
  #unsynced = false;
  #closed = false;
  /** Flushes under way: the timer's and those of finished segments. */
  #flushing: Promise<void> = Promise.resolve();

  private constructor(dir: string, segment: number, options: LogWriterOptions) {
    this.#dir = dir;
    this.#options = options;
    this.#fs = options.fs ?? nodeLogFs;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#segment = segment;
    this.#fd = this.#fs.open(segmentPath(dir, segment));
    options.metrics?.segmentCurrent.set(segment);
  }

  /**
   * Starts a fresh segment behind those that hold anything, creating the directory. Throws `unavailable`
   * where the file cannot be made.
   */
  static open(dir: string, options: LogWriterOptions): LogWriter {
    try {
      mkdirSync(dir, { recursive: true });
      const last = listSegments(dir).at(-1);
      // A process that is started over and over must not leave a file each time.
      if (last?.bytes === 0) return new LogWriter(dir, last.index, options);
      const used = last?.index ?? listCheckpoints(dir).at(-1)?.index ?? -1;
      return new LogWriter(dir, used + 1, options);
    } catch (cause) {
      throw unavailable(`start a log segment in ${dir}`, cause);
    }
  }

  /** Number of the segment being written. */
  get segment(): number {
    return this.#segment;
  }

  /**
   * Writes the records as one batch, synchronously, into the page cache: they survive the death of the
   * process, and that of the host once flushed. Throws `unavailable` where the device refuses; nothing
   * of the batch is kept then, and the next call tries afresh.
   */
  log(records: readonly Uint8Array[]): void {
    // The descriptor may be another file's by now.
    if (this.#closed) throw new OutpostError('unavailable', `write to a closed log: ${this.#dir}`);
    this.#packed.reset();
    const compress = this.#options.compress ?? false;
    const packed = records.map(record => packRecord(record, compress, this.#packed));
    try {
      if (this.#torn) this.#cutOffTorn();
      this.#frame(packed);
      if (this.#position > 0 && this.#position + this.#frames.bytes().length > this.#segmentBytes) {
        this.cut();
        this.#frame(packed);
      }
      this.#write(this.#frames.bytes());
    } catch (cause) {
      this.#options.metrics?.writesFailed.inc();
      throw unavailable(`write to the log ${segmentPath(this.#dir, this.#segment)}`, cause);
    }
  }

  /** Ends the segment, flushing it in the background, and starts the next. Throws as `log` does. */
  cut(): void {
    const next = this.#segment + 1;
    let fd: number;
    try {
      if (this.#torn) this.#cutOffTorn();
      fd = this.#fs.open(segmentPath(this.#dir, next));
    } catch (cause) {
      throw unavailable(`start the log segment ${segmentPath(this.#dir, next)}`, cause);
    }
    const finished = this.#fd;
    this.#fd = fd;
    this.#segment = next;
    this.#position = 0;
    this.#unsynced = true;
    this.#options.metrics?.segmentCurrent.set(next);
    this.#flushing = this.#flushing.then(async () => {
      await this.#flush(finished);
      this.#fs.close(finished);
    });
  }

  /**
   * Flushes what was written to the device. A flush that fails is counted and logged, and everything
   * written since is flushed again by the next call.
   */
  sync(): Promise<void> {
    if (this.#unsynced && !this.#closed) {
      this.#unsynced = false;
      const fd = this.#fd;
      this.#flushing = this.#flushing.then(() => this.#flush(fd));
    }
    return this.#flushing;
  }

  /** Flushes and closes. The writer is then spent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.sync();
    this.#closed = true;
    this.#fs.close(this.#fd);
  }

  #frame(packed: readonly PackedRecord[]): void {
    this.#frames.reset(this.#position);
    for (const record of packed) this.#frames.add(record);
  }

  #write(bytes: Uint8Array): void {
    this.#torn = true;
    try {
      writeFully(this.#fs, this.#fd, bytes, this.#position);
    } catch (error) {
      this.#undo();
      throw error;
    }
    this.#torn = false;
    this.#unsynced = true;
    this.#position += bytes.length;
    this.#options.metrics?.bytesWritten.inc(bytes.length);
  }

  // The write's own error is the one worth telling; a failing undo is tried again before the next batch.
  #undo(): void {
    try {
      this.#cutOffTorn();
    } catch (error) {
      this.#options.logger.warn('cut off a torn log batch', { err: error, retried: 'next batch' });
    }
  }

  #cutOffTorn(): void {
    this.#fs.truncate(this.#fd, this.#position);
    this.#torn = false;
  }

  async #flush(fd: number): Promise<void> {
    const started = this.#options.monotonic();
    try {
      await this.#fs.sync(fd);
      await syncDirectory(this.#dir);
    } catch (error) {
      this.#unsynced = true;
      this.#options.metrics?.fsyncsFailed.inc();
      this.#options.logger.error('flush the log to the device', { err: error, dir: this.#dir });
    }
    this.#options.metrics?.fsyncSeconds.observe((this.#options.monotonic() - started) / 1000);
  }
}

function unavailable(what: string, cause: unknown): OutpostError {
  return new OutpostError('unavailable', `${what}: ${systemReason(cause)}`, { cause });
}
