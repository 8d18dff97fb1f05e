// A remote store as a Queryable: StoreAPI and Info over one gRPC channel. Nothing waits without an end:
// a peer that is silent for longer than the frame timeout is given up.

import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials as grpcCredentials,
  Metadata,
} from '@grpc/grpc-js';
import { thanos } from '../../proto/gen/thanos.js';
import type { Matcher } from '../labels/matcher.ts';
import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { LabelAnswer, Querier, Queryable, SelectOptions } from '../storage/queryable.ts';
import type { SeriesSet } from '../storage/series.ts';
import { decodeInfo, type StoreInfo } from './info.ts';
import { readFrames } from './read-frames.ts';
import { RemoteSeriesSet } from './remote-series-set.ts';
import {
  encodeLabelNamesRequest,
  encodeLabelValuesRequest,
  encodeSeriesRequest,
  type StoreRequest,
} from './requests.ts';
import { asBuffer, type BytesMethod, INFO, LABEL_NAMES, LABEL_VALUES, SERIES } from './service.ts';
import { fromStatus, silence } from './status.ts';
import { StringCache } from './string-cache.ts';

export interface StoreClientOptions {
  /** `host:port` or `unix:/path`. */
  readonly address: string;
  readonly clock: Clock;
  /** Longest silence of the peer during a call, ms. */
  readonly frameTimeoutMs: number;
  /** Default: no TLS. */
  readonly credentials?: ChannelCredentials;
  readonly channelOptions?: ChannelOptions;
}

/** How a store is to answer. */
export interface RemoteReadOptions {
  /** Removed by the peer before it sorts; only for peers that announce it. */
  readonly replicaLabels: readonly string[];
  /** False: the peer fails rather than leave something out. */
  readonly partialResponse: boolean;
}

const DEFAULT_CHANNEL: ChannelOptions = {
  // A shared one would hand a new client the back-off of an earlier one to the same address.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // The window of 64 KiB that is usual ends a stream's speed at any distance (grpc/grpc-node#2669).
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  // Servers drop peers that ask more often than every ten seconds.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': 5_000,
  'grpc.enable_retries': 0,
};

// Servers that know batches send up to as many series in one frame.
const BATCH_SERIES = 64;

/** One peer. Connects on first use and again after a loss. */
export class StoreClient implements Queryable {
  readonly address: string;
  readonly #options: StoreClientOptions;
  readonly #client: Client;
  readonly #strings = new StringCache();

  constructor(options: StoreClientOptions) {
    this.address = options.address;
    this.#options = options;
    const credentials = options.credentials ?? grpcCredentials.createInsecure();
    const channel = { ...DEFAULT_CHANNEL, ...options.channelOptions };
    this.#client = new Client(options.address, credentials, channel);
  }

  /** What the peer announces. Throws OutpostError, `unavailable` while it is not ready. */
  async info(timeoutMs: number, signal?: AbortSignal): Promise<StoreInfo> {
    return decodeInfo(await this.#unary(INFO, new Uint8Array(0), timeoutMs, signal));
  }

  querier(minTime: number, maxTime: number): Querier {
    return this.reading({ replicaLabels: [], partialResponse: true }).querier(minTime, maxTime);
  }

  /** The store, read in a certain way. */
  reading(read: RemoteReadOptions): Queryable {
    return {
      querier: (minTime, maxTime) => new RemoteQuerier(this, { ...read, minTime, maxTime }),
    };
  }

  /** Ends the channel; calls under way fail. */
  close(): void {
    this.#client.close();
  }

  /** Starts a Series call. */
  series(
    range: RemoteRange,
    matchers: readonly Matcher[],
    { hints = {}, signal, onReceived }: SelectOptions = {},
  ): SeriesSet {
    const request = encodeSeriesRequest({
      ...baseRequest(range, matchers, hints.limit),
      skipChunks: hints.labelsOnly ?? false,
      batchSize: BATCH_SERIES,
      shard: null,
      hints,
    });
    const { path, requestSerialize, responseDeserialize } = SERIES;
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      asBuffer(request),
      new Metadata(),
    );
    const { clock, frameTimeoutMs } = this.#options;
    return new RemoteSeriesSet(call, {
      clock,
      frameTimeoutMs,
      strings: this.#strings,
      minTime: range.minTime,
      maxTime: range.maxTime,
      ...(signal && { signal }),
      ...(onReceived && { onReceived }),
    });
  }

  /** A LabelNames call. */
  async labelNames(
    range: RemoteRange,
    matchers: readonly Matcher[],
    options: SelectOptions = {},
  ): Promise<LabelAnswer> {
    const request = baseRequest(range, matchers, options.hints?.limit);
    const timeoutMs = this.#options.frameTimeoutMs;
    const bytes = encodeLabelNamesRequest(request);
    const reply = await this.#unary(LABEL_NAMES, bytes, timeoutMs, options.signal);
    const { names, warnings } = thanos.LabelNamesResponse.decode(reply);
    return { values: names, warnings };
  }

  /** A LabelValues call. */
  async labelValues(
    range: RemoteRange,
    label: string,
    matchers: readonly Matcher[],
    options: SelectOptions = {},
  ): Promise<LabelAnswer> {
    const request = baseRequest(range, matchers, options.hints?.limit);
    const timeoutMs = this.#options.frameTimeoutMs;
    const bytes = encodeLabelValuesRequest({ ...request, label });
    const reply = await this.#unary(LABEL_VALUES, bytes, timeoutMs, options.signal);
    return thanos.LabelValuesResponse.decode(reply);
  }

  /** All frames of a streaming call that is not for series. Throws OutpostError. */
  frames(method: BytesMethod, request: Uint8Array, signal?: AbortSignal): Promise<Uint8Array[]> {
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      asBuffer(request),
      new Metadata(),
    );
    return readFrames(call, { ...this.#options, ...(signal && { signal }) });
  }

  #unary(
    method: BytesMethod,
    request: Uint8Array,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(OutpostError.from(signal.reason));
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        asBuffer(request),
        (error, reply) => {
          settle();
          if (error) reject(fromStatus(error));
          else resolve(reply!);
        },
      );
      const giveUp = (error: OutpostError): void => {
        reject(error);
        call.cancel();
      };
      const cancelTimer = this.#options.clock.after(timeoutMs, () => giveUp(silence(timeoutMs)));
      const onAbort = (): void => giveUp(OutpostError.from(signal!.reason));
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
    });
  }
}

interface RemoteRange extends RemoteReadOptions {
  readonly minTime: number;
  readonly maxTime: number;
}

function baseRequest(
  range: RemoteRange,
  matchers: readonly Matcher[],
  limit: number | undefined,
): StoreRequest {
  const { replicaLabels, ...rest } = range;
  return { ...rest, matchers, withoutReplicaLabels: replicaLabels, limit: limit ?? 0 };
}

class RemoteQuerier implements Querier {
  readonly #client: StoreClient;
  readonly #range: RemoteRange;
  readonly #open = new Set<SeriesSet>();

  constructor(client: StoreClient, range: RemoteRange) {
    this.#client = client;
    this.#range = range;
  }

  async select(matchers: readonly Matcher[], options?: SelectOptions): Promise<SeriesSet> {
    const set = this.#client.series(this.#range, matchers, options);
    this.#open.add(set);
    return set;
  }

  labelNames(matchers: readonly Matcher[], options?: SelectOptions): Promise<LabelAnswer> {
    return this.#client.labelNames(this.#range, matchers, options);
  }

  labelValues(
    name: string,
    matchers: readonly Matcher[],
    options?: SelectOptions,
  ): Promise<LabelAnswer> {
    return this.#client.labelValues(this.#range, name, matchers, options);
  }

  close(): void {
    for (const set of this.#open) set.close();
  }
}
