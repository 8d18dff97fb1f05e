// What a component knows beside its series: what metrics mean, exemplars, what is collected from. Thanos serves
// each as a gRPC service of its own, whose answers are streams of parts and of warnings about parts that are
// missing. Messages: proto/thanos/{metadata,exemplars,targets}.proto.

import { thanos } from '../../proto/gen/thanos.js';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { MetricMetadata } from '../storage/appender.ts';
import type { SeriesExemplars } from '../storage/exemplar.ts';
import { labelsOf } from './series-codec.ts';
import { bytesMethod } from './service.ts';

const { PartialResponseStrategy } = thanos;

export const METRIC_METADATA = bytesMethod('/thanos.Metadata/MetricMetadata', true);
export const EXEMPLARS = bytesMethod('/thanos.Exemplars/Exemplars', true);
export const TARGETS = bytesMethod('/thanos.Targets/Targets', true);

/** An answer with sentences about what is missing from it. */
export interface Gathered<Value> {
  readonly value: Value;
  readonly warnings: readonly string[];
}

/** Descriptions by metric name; where components differ a metric has several. */
export type MetadataByName = ReadonlyMap<string, readonly MetricMetadata[]>;

export interface MetadataRequest {
  /** '' asks for all. */
  readonly metric: string;
  /** Most metrics; negative is no limit. */
  readonly limit: number;
  readonly partialResponse: boolean;
}

export interface ExemplarsRequest {
  /** Of which the selectors count. */
  readonly query: string;
  /** Unix ms, both inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly partialResponse: boolean;
}

/** One target as the protocol tells of it. */
export interface KnownTarget {
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly pool: string;
  readonly url: string;
  /** '' where the last collection succeeded. */
  readonly lastError: string;
  /** Unix ms; 0 before the first. */
  readonly lastScrape: number;
  readonly lastScrapeMs: number;
  readonly health: 'up' | 'down' | 'unknown';
}

export interface KnownTargets {
  readonly active: readonly KnownTarget[];
  /** Labels of what was dropped. */
  readonly dropped: readonly Labels[];
}

/** Metrics, series or targets in one frame. */
const PART_MAX = 1000;

function strategyOf(partialResponse: boolean): thanos.PartialResponseStrategy {
  return partialResponse ? PartialResponseStrategy.WARN : PartialResponseStrategy.ABORT;
}

function decoding<Message>(what: string, decode: () => Message): Message {
  try {
    return decode();
  } catch (cause) {
    const { message } = OutpostError.from(cause);
    throw new OutpostError('corrupt', `read ${what}: ${message}`, { cause });
  }
}

function* partsOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += PART_MAX) yield items.slice(at, at + PART_MAX);
}

/** A MetricMetadataRequest. */
export function encodeMetadataRequest(request: MetadataRequest): Uint8Array {
  const { metric, limit, partialResponse } = request;
  const partialResponseStrategy = strategyOf(partialResponse);
  return thanos.MetricMetadataRequest.encode({ metric, limit, partialResponseStrategy }).finish();
}

/** Throws `corrupt`. */
export function decodeMetadataRequest(bytes: Uint8Array): MetadataRequest {
  const message = decoding('a request for metadata', () =>
    thanos.MetricMetadataRequest.decode(bytes),
  );
  const { metric, limit, partialResponseStrategy } = message;
  const partialResponse = partialResponseStrategy === PartialResponseStrategy.WARN;
  return { metric, limit, partialResponse };
}

/** The frames of an answer. */
export function* metadataFrames(answer: Gathered<MetadataByName>): Generator<Uint8Array> {
  const { MetricMetadataResponse } = thanos;
  for (const part of partsOf([...answer.value])) {
    const metadata = Object.fromEntries(part.map(([name, metas]) => [name, { metas: [...metas] }]));
    yield MetricMetadataResponse.encode({ metadata: { metadata } }).finish();
  }
  for (const warning of answer.warnings) yield MetricMetadataResponse.encode({ warning }).finish();
}

/** Reads the frames of an answer. Throws `corrupt`. */
export function readMetadata(frames: readonly Uint8Array[]): Gathered<MetadataByName> {
  const value = new Map<string, MetricMetadata[]>();
  const warnings: string[] = [];
  for (const frame of frames) {
    const part = decoding('metadata', () => thanos.MetricMetadataResponse.decode(frame));
    if (part.warning) warnings.push(part.warning);
    for (const [name, { metas }] of Object.entries(part.metadata?.metadata ?? {})) {
      const known = value.get(name) ?? [];
      value.set(name, known);
      for (const { type, help, unit } of metas ?? []) {
        known.push({ type: type ?? '', help: help ?? '', unit: unit ?? '' });
      }
    }
  }
  return { value, warnings };
}

/** An ExemplarsRequest. */
export function encodeExemplarsRequest(request: ExemplarsRequest): Uint8Array {
  const { query, minTime: start, maxTime: end, partialResponse } = request;
  const partialResponseStrategy = strategyOf(partialResponse);
  return thanos.ExemplarsRequest.encode({ query, start, end, partialResponseStrategy }).finish();
}

/** Throws `corrupt`. */
export function decodeExemplarsRequest(bytes: Uint8Array): ExemplarsRequest {
  const message = decoding('a request for exemplars', () => thanos.ExemplarsRequest.decode(bytes));
  const { query, start, end, partialResponseStrategy } = message;
  const partialResponse = partialResponseStrategy === PartialResponseStrategy.WARN;
  return { query, minTime: start, maxTime: end, partialResponse };
}

/** The frames of an answer, one for each series. */
export function* exemplarFrames(
  answer: Gathered<readonly SeriesExemplars[]>,
): Generator<Uint8Array> {
  const { ExemplarsResponse } = thanos;
  for (const { labels, exemplars } of answer.value) {
    const data = {
      seriesLabels: labelSet(labels),
      exemplars: exemplars.map(one => ({
        labels: labelSet(one.labels),
        value: one.value,
        ts: one.time,
      })),
    };
    yield ExemplarsResponse.encode({ data }).finish();
  }
  for (const warning of answer.warnings) yield ExemplarsResponse.encode({ warning }).finish();
}

/** Reads the frames of an answer. Throws `corrupt`. */
export function readExemplars(frames: readonly Uint8Array[]): Gathered<readonly SeriesExemplars[]> {
  const value: SeriesExemplars[] = [];
  const warnings: string[] = [];
  for (const frame of frames) {
    const { data, warning } = decoding('exemplars', () => thanos.ExemplarsResponse.decode(frame));
    if (warning) warnings.push(warning);
    if (!data) continue;
    const exemplars = (data.exemplars ?? []).map(one => ({
      labels: readLabelSet(one.labels),
      value: one.value ?? 0,
      time: one.ts ?? 0,
    }));
    value.push({ labels: readLabelSet(data.seriesLabels), exemplars });
  }
  return { value, warnings };
}

/** A TargetsRequest for active and dropped ones. */
export function encodeTargetsRequest(partialResponse: boolean): Uint8Array {
  const partialResponseStrategy = strategyOf(partialResponse);
  return thanos.TargetsRequest.encode({ partialResponseStrategy }).finish();
}

/** Which targets are wanted. Throws `corrupt`. */
export function decodeTargetsRequest(bytes: Uint8Array): {
  readonly state: 'any' | 'active' | 'dropped';
  readonly partialResponse: boolean;
} {
  const message = decoding('a request for targets', () => thanos.TargetsRequest.decode(bytes));
  const { State } = thanos.TargetsRequest;
  const { state, partialResponseStrategy } = message;
  return {
    state: state === State.ACTIVE ? 'active' : state === State.DROPPED ? 'dropped' : 'any',
    partialResponse: partialResponseStrategy === PartialResponseStrategy.WARN,
  };
}

/** The frames of an answer. */
export function* targetFrames(answer: Gathered<KnownTargets>): Generator<Uint8Array> {
  const { TargetsResponse } = thanos;
  const { active, dropped } = answer.value;
  for (const part of partsOf(active)) {
    const targets = { activeTargets: part.map(encodedTarget), droppedTargets: [] };
    yield TargetsResponse.encode({ targets }).finish();
  }
  for (const part of partsOf(dropped)) {
    const droppedTargets = part.map(labels => ({ discoveredLabels: labelSet(labels) }));
    yield TargetsResponse.encode({ targets: { activeTargets: [], droppedTargets } }).finish();
  }
  for (const warning of answer.warnings) yield TargetsResponse.encode({ warning }).finish();
}

function encodedTarget(target: KnownTarget): thanos.IActiveTarget {
  const { Health } = thanos.ActiveTarget;
  const { lastScrape, health } = target;
  const seconds = Math.floor(lastScrape / 1000);
  return {
    discoveredLabels: labelSet(target.discoveredLabels),
    labels: labelSet(target.labels),
    scrapePool: target.pool,
    scrapeUrl: target.url,
    globalUrl: target.url,
    lastError: target.lastError,
    ...(lastScrape > 0 && {
      lastScrape: { seconds, nanos: Math.round(lastScrape - seconds * 1000) * 1e6 },
    }),
    lastScrapeDuration: target.lastScrapeMs / 1000,
    health: health === 'up' ? Health.UP : health === 'down' ? Health.DOWN : Health.UNKNOWN,
  };
}

/** Reads the frames of an answer. Throws `corrupt`. */
export function readTargets(frames: readonly Uint8Array[]): Gathered<KnownTargets> {
  const active: KnownTarget[] = [];
  const dropped: Labels[] = [];
  const warnings: string[] = [];
  for (const frame of frames) {
    const { targets, warning } = decoding('targets', () => thanos.TargetsResponse.decode(frame));
    if (warning) warnings.push(warning);
    for (const one of targets?.activeTargets ?? []) active.push(readTarget(one));
    for (const one of targets?.droppedTargets ?? []) {
      dropped.push(readLabelSet(one.discoveredLabels));
    }
  }
  return { value: { active, dropped }, warnings };
}

function readTarget(one: thanos.IActiveTarget): KnownTarget {
  const { Health } = thanos.ActiveTarget;
  const { seconds, nanos } = one.lastScrape ?? {};
  // A time before 1970 is Go's way to say never.
  const lastScrape = Math.max(0, (seconds ?? 0) * 1000 + Math.round((nanos ?? 0) / 1e6));
  const { health } = one;
  return {
    discoveredLabels: readLabelSet(one.discoveredLabels),
    labels: readLabelSet(one.labels),
    pool: one.scrapePool ?? '',
    url: one.scrapeUrl ?? '',
    lastError: one.lastError ?? '',
    lastScrape,
    lastScrapeMs: (one.lastScrapeDuration ?? 0) * 1000,
    health: health === Health.UP ? 'up' : health === Health.UNKNOWN ? 'unknown' : 'down',
  };
}

function labelSet(labels: Labels): thanos.ILabelSet {
  return { labels: [...labels].map(([name, value]) => ({ name, value })) };
}

function readLabelSet(message: thanos.ILabelSet | null | undefined): Labels {
  const labels = message?.labels ?? [];
  if (labels.length === 0) return Labels.empty;
  return labelsOf(labels.flatMap(({ name, value }) => [name ?? '', value ?? '']));
}
