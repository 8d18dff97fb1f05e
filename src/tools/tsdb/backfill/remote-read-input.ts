// A backfill from another server over Prometheus' remote read: one request for each stretch of time, so that
// neither side holds more than that.

import { snappyDecode } from '../../../encoding/snappy.ts';
import type { Labels } from '../../../labels/labels.ts';
import type { Matcher } from '../../../labels/matcher.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import { encodeReadRequest, type ReadQuery } from '../../../remote/read-request.ts';
import {
  decodeChunkedSeries,
  decodeSampledSeries,
  readResponseFrames,
} from '../../../remote/read-response.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import type { ProgressSink } from '../../progress-sink.ts';
import type { Backfill } from './backfill.ts';

const SAMPLES_BYTES_MAX = 1024 * 1024 * 1024;
const ERROR_TEXT_MAX = 300;

/** What to read and from where. */
export interface RemoteReadOptions {
  /** The endpoint itself: `http://host:9090/api/v1/read`. */
  readonly url: string;
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Selectors, one after another; a series of several is read once each. */
  readonly selectors: readonly (readonly Matcher[])[];
  /** Unix ms, both inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Length of a stretch. */
  readonly stretchMs: number;
  readonly progress: ProgressSink;
  readonly signal: AbortSignal;
}

/** What was read beside samples. */
export interface RemoteReadReport {
  /** Native histogram samples of a server that answers samples and no chunks. */
  histogramsLeftOut: number;
  /** Samples that cannot be stored. */
  samplesRefused: number;
  /** Series that cannot be stored. */
  seriesRefused: number;
  /** Why the first of either cannot. */
  reason: string;
}

/** Reads everything. Throws `unavailable` with what the server says where it refuses. */
export async function readRemote(
  backfill: Backfill,
  options: RemoteReadOptions,
): Promise<RemoteReadReport> {
  const { selectors, minTime, maxTime, stretchMs, progress } = options;
  const reading = new Reading(backfill, options);
  const first = Math.floor(minTime / stretchMs);
  const last = Math.floor(maxTime / stretchMs);
  progress.phase('read', (last - first + 1) * selectors.length, 'requests');
  let done = 0;
  for (let stretch = first; stretch <= last; stretch++) {
    for (const matchers of selectors) {
      await reading.query({
        minTime: Math.max(minTime, stretch * stretchMs),
        maxTime: Math.min(maxTime, (stretch + 1) * stretchMs - 1),
        matchers,
      });
      progress.at(++done);
    }
  }
  return reading.report;
}

class Reading {
  readonly report: RemoteReadReport = {
    histogramsLeftOut: 0,
    samplesRefused: 0,
    seriesRefused: 0,
    reason: '',
  };
  readonly #backfill: Backfill;
  readonly #options: RemoteReadOptions;
  readonly #columns = new SampleColumns();

  constructor(backfill: Backfill, options: RemoteReadOptions) {
    this.#backfill = backfill;
    this.#options = options;
  }

  async query(query: ReadQuery): Promise<void> {
    const response = await this.#post(query);
    if (response.headers.get('content-type')?.startsWith('application/x-streamed-protobuf')) {
      for await (const frame of readResponseFrames(response.body!)) {
        for (const { labels, chunks } of decodeChunkedSeries(frame)) {
          this.#columns.clear();
          for (const chunk of chunks) {
            decodeChunk(chunk, query.minTime, query.maxTime, this.#columns);
          }
          await this.#add(labels, this.#columns);
        }
      }
      return;
    }
    const message = snappyDecode(new Uint8Array(await response.arrayBuffer()), SAMPLES_BYTES_MAX);
    for (const { labels, samples, histograms } of decodeSampledSeries(message)) {
      this.report.histogramsLeftOut += histograms;
      await this.#add(labels, samples);
    }
  }

  async #post(query: ReadQuery): Promise<Response> {
    const { url, headers, signal } = this.#options;
    let response: Response;
    try {
      response = await fetch(url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/x-protobuf',
          'Content-Encoding': 'snappy',
          'X-Prometheus-Remote-Read-Version': '0.1.0',
          ...headers,
        },
        body: Buffer.from(encodeReadRequest(query)),
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw OutpostError.from(signal.reason);
      const reason = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause);
      throw new OutpostError('unavailable', `read from ${url}: ${reason}`, { cause });
    }
    if (response.ok) return response;
    const text = (await response.text()).trim().slice(0, ERROR_TEXT_MAX);
    throw new OutpostError('unavailable', `read from ${url}: status ${response.status}: ${text}`);
  }

  async #add(labels: Labels, { times, values, histograms, length }: SampleColumns): Promise<void> {
    const series = this.#backfill.seriesOf(labels);
    if (typeof series === 'string') {
      this.report.seriesRefused++;
      this.report.reason ||= `${labels}: ${series}`;
      return;
    }
    for (let i = 0; i < length; i++) {
      const histogram = histograms?.[i];
      const problem = histogram
        ? this.#backfill.addHistogram(series, times[i]!, histogram)
        : this.#backfill.add(series, times[i]!, values[i]!);
      if (problem !== null) {
        this.report.samplesRefused++;
        this.report.reason ||= `${labels}: ${problem}`;
      }
      if (this.#backfill.full) await this.#backfill.drain();
    }
  }
}
