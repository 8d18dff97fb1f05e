// StoreAPI requests: from bytes to what the server works with, and from what a client wants to bytes.

import { thanos } from '../../proto/gen/thanos.js';
import { Matcher, type MatchType } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { SelectHints } from '../storage/queryable.ts';

const { LabelNamesRequest, LabelValuesRequest, PartialResponseStrategy, SeriesRequest } = thanos;

/** Which of `totalShards` parts of the series is wanted. */
export interface Shard {
  readonly index: number;
  readonly total: number;
  /** True where only `labels` are hashed, false where all but them are. */
  readonly by: boolean;
  readonly labels: readonly string[];
}

/** What all three calls have in common. Times are Unix ms, inclusive. */
export interface StoreRequest {
  readonly minTime: number;
  readonly maxTime: number;
  readonly matchers: readonly Matcher[];
  /** False: an incomplete answer is an error. */
  readonly partialResponse: boolean;
  readonly withoutReplicaLabels: readonly string[];
  /** 0 is no limit. */
  readonly limit: number;
}

export interface SeriesQuery extends StoreRequest {
  readonly skipChunks: boolean;
  /** Most series in one frame; 0 and 1 mean that batch frames are not understood. */
  readonly batchSize: number;
  readonly shard: Shard | null;
  readonly hints: SelectHints;
}

export interface LabelValuesQuery extends StoreRequest {
  readonly label: string;
}

/** Throws OutpostError `bad-data`. */
export function decodeSeriesRequest(bytes: Uint8Array): SeriesQuery {
  const message = parse(() => SeriesRequest.decode(bytes));
  const shard = message.shardInfo;
  return {
    ...common(message, message.minTime, message.maxTime),
    skipChunks: message.skipChunks,
    batchSize: message.responseBatchSize,
    shard: shard?.totalShards
      ? {
          index: shard.shardIndex ?? 0,
          total: shard.totalShards,
          by: shard.by ?? false,
          labels: shard.labels ?? [],
        }
      : null,
    hints: readHints(message.queryHints),
  };
}

/** Throws OutpostError `bad-data`. */
export function decodeLabelNamesRequest(bytes: Uint8Array): StoreRequest {
  const message = parse(() => LabelNamesRequest.decode(bytes));
  return common(message, message.start, message.end);
}

/** Throws OutpostError `bad-data`. */
export function decodeLabelValuesRequest(bytes: Uint8Array): LabelValuesQuery {
  const message = parse(() => LabelValuesRequest.decode(bytes));
  return { ...common(message, message.start, message.end), label: message.label };
}

/** The bytes of a SeriesRequest; times beyond int64 are cut to its range. */
export function encodeSeriesRequest(query: SeriesQuery): Uint8Array {
  const { hints, shard } = query;
  return SeriesRequest.encode({
    ...commonFields(query),
    minTime: int64(query.minTime),
    maxTime: int64(query.maxTime),
    aggregates: aggregatesFor(hints.func ?? ''),
    skipChunks: query.skipChunks,
    responseBatchSize: query.batchSize,
    queryHints: writeHints(hints),
    shardInfo: shard
      ? {
          shardIndex: shard.index,
          totalShards: shard.total,
          by: shard.by,
          labels: [...shard.labels],
        }
      : null,
  }).finish();
}

/** The bytes of a LabelNamesRequest. */
export function encodeLabelNamesRequest(query: StoreRequest): Uint8Array {
  const { minTime, maxTime } = query;
  return LabelNamesRequest.encode({
    ...commonFields(query),
    start: int64(minTime),
    end: int64(maxTime),
  }).finish();
}

/** The bytes of a LabelValuesRequest. */
export function encodeLabelValuesRequest(query: LabelValuesQuery): Uint8Array {
  const { minTime, maxTime, label } = query;
  return LabelValuesRequest.encode({
    ...commonFields(query),
    label,
    start: int64(minTime),
    end: int64(maxTime),
  }).finish();
}

// The generated codecs throw plain errors where the bytes are no message.
function parse<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const text = `read request: ${OutpostError.from(cause).message}`;
    throw new OutpostError('bad-data', text, { cause });
  }
}

interface CommonMessage {
  matchers: thanos.LabelMatcher.$Properties[];
  partialResponseDisabled: boolean;
  partialResponseStrategy: thanos.PartialResponseStrategy;
  withoutReplicaLabels: string[];
  limit: number;
}

function common(message: CommonMessage, minTime: number, maxTime: number): StoreRequest {
  return {
    minTime,
    maxTime,
    matchers: message.matchers.map(readMatcher),
    partialResponse:
      !message.partialResponseDisabled &&
      message.partialResponseStrategy !== PartialResponseStrategy.ABORT,
    withoutReplicaLabels: message.withoutReplicaLabels,
    limit: Math.max(0, message.limit),
  };
}

function commonFields(query: StoreRequest): CommonMessage {
  return {
    matchers: query.matchers.map(writeMatcher),
    partialResponseDisabled: !query.partialResponse,
    partialResponseStrategy: query.partialResponse
      ? PartialResponseStrategy.WARN
      : PartialResponseStrategy.ABORT,
    withoutReplicaLabels: [...query.withoutReplicaLabels],
    limit: query.limit,
  };
}

// In the order of LabelMatcher.Type.
const MATCH_TYPES: readonly MatchType[] = ['=', '!=', '=~', '!~'];

function readMatcher(message: thanos.LabelMatcher.$Properties): Matcher {
  const type = MATCH_TYPES[message.type ?? 0];
  const name = message.name ?? '';
  if (type === undefined) {
    throw new OutpostError('bad-data', `read matcher: type ${message.type} is not known`);
  }
  try {
    return new Matcher(type, name, message.value ?? '');
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new OutpostError('bad-data', `read matcher of label "${name}": ${cause.message}`, {
      cause,
    });
  }
}

function writeMatcher(matcher: Matcher): thanos.LabelMatcher.$Properties {
  const { type, name, value } = matcher;
  return { type: MATCH_TYPES.indexOf(type), name, value };
}

function readHints(message: thanos.QueryHints.$Properties | null | undefined): SelectHints {
  if (!message) return {};
  return {
    stepMs: message.stepMillis ?? 0,
    func: message.func?.name ?? '',
    rangeMs: message.range?.millis ?? 0,
    grouping: message.grouping?.labels ?? [],
    by: message.grouping?.by ?? false,
  };
}

function writeHints(hints: SelectHints): thanos.QueryHints.$Properties | null {
  const { stepMs = 0, func = '', rangeMs = 0, grouping = [], by = false } = hints;
  if (stepMs === 0 && func === '' && rangeMs === 0 && grouping.length === 0) return null;
  return {
    stepMillis: stepMs,
    func: { name: func },
    range: { millis: rangeMs },
    grouping: { by, labels: [...grouping] },
  };
}

/** Aggregates a store of downsampled data has to have ready, by the function around the selector. */
function aggregatesFor(func: string): thanos.Aggr[] {
  const { Aggr } = thanos;
  if (func === 'min' || func.startsWith('min_')) return [Aggr.MIN];
  if (func === 'max' || func.startsWith('max_')) return [Aggr.MAX];
  if (func === 'count' || func.startsWith('count_')) return [Aggr.COUNT];
  if (func.startsWith('sum_')) return [Aggr.SUM];
  if (['rate', 'increase', 'irate', 'resets'].includes(func)) return [Aggr.COUNTER];
  return [Aggr.COUNT, Aggr.SUM];
}

// The largest double below 2^63; the generated codec takes 2^63 itself for the smallest int64.
const INT64_MAX = 2 ** 63 - 1024;

function int64(time: number): number {
  return Math.max(-(2 ** 63), Math.min(INT64_MAX, Math.trunc(time)));
}
