// Serves a store as Thanos' StoreAPI and Info, keeping the promises peers rely on without checking:
// order, external labels, frame sizes, and an error from Info as long as the store is not ready.

import { thanos } from '../../proto/gen/thanos.js';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import type { GrpcServer } from './grpc-server.ts';
import { encodeInfo, type StoreInfo, type StreamInfo } from './info.ts';
import { answerLabelNames, answerLabelValues } from './label-calls.ts';
import {
  decodeLabelNamesRequest,
  decodeLabelValuesRequest,
  decodeSeriesRequest,
} from './requests.ts';
import { answerSeries, type WriteFrame } from './series-call.ts';
import { Gate } from './series-gate.ts';
import { INFO, LABEL_NAMES, LABEL_VALUES, SERIES } from './service.ts';
import { DEFAULT_STORE_LIMITS, type StoreLimits, type StoreSource } from './store-source.ts';

const { LabelNamesResponse, LabelValuesResponse } = thanos;

export interface StoreServerOptions {
  readonly source: StoreSource;
  /** Added to every series; asked at each call, for they may be reloaded. Default: none. */
  readonly externalLabels?: () => Labels;
  /** sidecar, receive, rule, store, query, … */
  readonly componentType: string;
  /** The streams announced. Each has the labels its series carry and its time range, Unix ms. */
  readonly streams: () => readonly StreamInfo[];
  /** Null where the store may be asked, else the reason why not. */
  readonly notReady: () => string | null;
  /** Other APIs that the same server serves. */
  readonly apis?: StoreInfo['apis'];
  readonly limits?: Partial<StoreLimits>;
  /** Monotonic time in ms, to give way between series. */
  readonly monotonic: () => number;
}

/** Adds the two services to a server. */
export function serveStore(server: GrpcServer, options: StoreServerOptions): void {
  const limits = { ...DEFAULT_STORE_LIMITS, ...options.limits };
  const gate = new Gate(limits.concurrentSeries, limits.queuedSeries);
  const { source, monotonic } = options;
  const externalLabels = options.externalLabels ?? (() => Labels.empty);
  const refuseUnready = (): void => {
    const reason = options.notReady();
    if (reason !== null) throw new OutpostError('unavailable', `the store is not ready: ${reason}`);
  };

  server.unary(INFO, async () => {
    refuseUnready();
    return encodeInfo(announcement(options));
  });
  server.stream(SERIES, async (bytes, stream) => {
    refuseUnready();
    const { signal } = stream;
    const query = decodeSeriesRequest(bytes);
    const slicer = new Slicer(monotonic, signal);
    const write: WriteFrame = frame => stream.write(frame);
    const call = { source, external: externalLabels(), limits, slicer, signal, write };
    await gate.run(signal, () => answerSeries(query, call));
  });
  server.unary(LABEL_NAMES, async (bytes, signal) => {
    refuseUnready();
    const call = { source, external: externalLabels(), signal };
    const { values, warnings } = await answerLabelNames(decodeLabelNamesRequest(bytes), call);
    return LabelNamesResponse.encode({ names: [...values], warnings: [...warnings] }).finish();
  });
  server.unary(LABEL_VALUES, async (bytes, signal) => {
    refuseUnready();
    const call = { source, external: externalLabels(), signal };
    const { values, warnings } = await answerLabelValues(decodeLabelValuesRequest(bytes), call);
    return LabelValuesResponse.encode({ values: [...values], warnings: [...warnings] }).finish();
  });
}

function announcement(options: StoreServerOptions): StoreInfo {
  const streams = options.streams();
  const labelled = streams.filter(stream => stream.labels.size > 0);
  return {
    componentType: options.componentType,
    // One stream without labels may hold anything, and no label sets at all say exactly that.
    labelSets: labelled.length === streams.length ? labelled.map(stream => stream.labels) : [],
    store: {
      minTime: streams.length > 0 ? Math.min(...streams.map(s => s.minTime)) : 2 ** 63,
      maxTime: streams.length > 0 ? Math.max(...streams.map(s => s.maxTime)) : -(2 ** 63),
      supportsSharding: true,
      supportsWithoutReplicaLabels: true,
      streams: labelled,
    },
    apis: options.apis ?? [],
  };
}
