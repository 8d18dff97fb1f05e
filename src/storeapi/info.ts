// What a store says about itself. Written by hand because the announced times are the extremes of int64,
// which only our writer gets right.

import { thanos } from '../../proto/gen/thanos.info.js';
import { ProtoWriter } from '../encoding/proto.ts';
import type { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { labelsOf } from './series-codec.ts';

/** One stream of data behind a store. Times are Unix ms. */
export interface StreamInfo {
  readonly labels: Labels;
  readonly minTime: number;
  readonly maxTime: number;
}

/** A component's announcement. ±2^63 and beyond stand for an open end. */
export interface StoreInfo {
  /** sidecar, query, rule, receive, store, … */
  readonly componentType: string;
  /** External label sets; none at all matches every query. */
  readonly labelSets: readonly Labels[];
  /** Null where the component does not serve series. */
  readonly store: StoreRange | null;
  /** Other APIs that are announced by their presence. */
  readonly apis: readonly AnnouncedApi[];
}

export interface StoreRange {
  readonly minTime: number;
  readonly maxTime: number;
  readonly supportsSharding: boolean;
  readonly supportsWithoutReplicaLabels: boolean;
  readonly streams: readonly StreamInfo[];
}

export type AnnouncedApi =
  | 'rules'
  | 'metric-metadata'
  | 'targets'
  | 'exemplars'
  | 'query'
  | 'status';

const API_FIELDS: Record<AnnouncedApi, number> = {
  rules: 4,
  'metric-metadata': 5,
  targets: 6,
  exemplars: 7,
  query: 8,
  status: 9,
};

/** An InfoResponse. */
export function encodeInfo(info: StoreInfo): Uint8Array {
  const writer = new ProtoWriter(256);
  for (const labels of info.labelSets) writer.messageField(1, () => writeLabels(writer, labels));
  writer.stringField(2, info.componentType);
  const { store } = info;
  if (store) writer.messageField(3, () => writeStore(writer, store));
  for (const api of info.apis) {
    writer.messageField(API_FIELDS[api], () => {
      // Exemplars have a range too, which is that of the series.
      if (api !== 'exemplars' || !store) return;
      writer.int64Field(1, store.minTime);
      writer.int64Field(2, store.maxTime);
    });
  }
  return writer.finish();
}

function writeStore(writer: ProtoWriter, store: StoreRange): void {
  writer.int64Field(1, store.minTime);
  writer.int64Field(2, store.maxTime);
  if (store.supportsSharding) writer.varintField(3, 1);
  if (store.supportsWithoutReplicaLabels) writer.varintField(5, 1);
  for (const stream of store.streams) {
    writer.messageField(6, () => {
      writer.messageField(1, () => writeLabels(writer, stream.labels));
      writer.int64Field(2, stream.minTime);
      writer.int64Field(3, stream.maxTime);
    });
  }
}

function writeLabels(writer: ProtoWriter, labels: Labels): void {
  for (const [name, value] of labels) {
    writer.messageField(1, () => {
      writer.stringField(1, name);
      writer.stringField(2, value);
    });
  }
}

/** Reads an InfoResponse. Throws `corrupt` where the bytes are none. */
export function decodeInfo(bytes: Uint8Array): StoreInfo {
  const message = decoded(bytes);
  const { store } = message;
  const present: [AnnouncedApi, unknown][] = [
    ['rules', message.rules],
    ['metric-metadata', message.metricMetadata],
    ['targets', message.targets],
    ['exemplars', message.exemplars],
    ['query', message.query],
    ['status', message.status],
  ];
  return {
    componentType: message.ComponentType,
    labelSets: message.labelSets.map(readLabels),
    store: store
      ? {
          minTime: store.minTime ?? 0,
          maxTime: store.maxTime ?? 0,
          supportsSharding: store.supportsSharding ?? false,
          supportsWithoutReplicaLabels: store.supportsWithoutReplicaLabels ?? false,
          streams: (store.tsdbInfos ?? []).map(stream => ({
            labels: readLabels(stream.labels),
            minTime: stream.minTime ?? 0,
            maxTime: stream.maxTime ?? 0,
          })),
        }
      : null,
    apis: present.filter(([, api]) => api).map(([name]) => name),
  };
}

function decoded(bytes: Uint8Array): thanos.info.InfoResponse {
  try {
    return thanos.info.InfoResponse.decode(bytes);
  } catch (cause) {
    const { message } = OutpostError.from(cause);
    throw new OutpostError('corrupt', `read an announcement: ${message}`, { cause });
  }
}

interface LabelSetMessage {
  readonly labels?: readonly { name?: string | null; value?: string | null }[] | null;
}

function readLabels(message: LabelSetMessage | null | undefined): Labels {
  const labels = message?.labels ?? [];
  return labelsOf(labels.flatMap(({ name, value }) => [name ?? '', value ?? '']));
}
