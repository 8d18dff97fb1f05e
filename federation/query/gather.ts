// What the endpoints know beside their series, as one answer: asked of those that announce it, joined without
// repetition, with a warning for each part that is missing.

import { compareStrings } from '../../src/labels/compare.ts';
import type { Labels } from '../../src/labels/labels.ts';
import { METRIC_NAME } from '../../src/labels/labels.ts';
import { type Matcher, matchesAll } from '../../src/labels/matcher.ts';
import { parseQuery } from '../../src/promql/parser.ts';
import { printMatcher } from '../../src/promql/printer.ts';
import { selectorsOf } from '../../src/promql/selectors.ts';
import type { MetricMetadata } from '../../src/storage/appender.ts';
import type { Exemplar, SeriesExemplars } from '../../src/storage/exemplar.ts';
import { stripExternal } from '../../src/storeapi/external-labels.ts';
import type { AnnouncedApi } from '../../src/storeapi/info.ts';
import {
  EXEMPLARS,
  encodeExemplarsRequest,
  encodeMetadataRequest,
  encodeTargetsRequest,
  type Gathered,
  type KnownTarget,
  METRIC_METADATA,
  readExemplars,
  readMetadata,
  readTargets,
  TARGETS,
} from '../../src/storeapi/knowledge.ts';
import type { KnowledgeSource } from '../../src/storeapi/knowledge-server.ts';
import type { BytesMethod } from '../../src/storeapi/service.ts';
import type { Endpoint } from './endpoint-set.ts';
import { type PruneQuery, selected } from './prune.ts';
import { describeMissing, refuseMissing, tolerantPart } from './tolerant.ts';

export interface GatherOptions {
  readonly endpoints: () => readonly Endpoint[];
  /** Removed from series and targets, which are the same then. */
  readonly replicaLabels: readonly string[];
  readonly storeMatch: PruneQuery['storeMatch'];
  /** Told of each failure that has become a warning. */
  readonly onPartial: () => void;
}

/** One kind of question: who is asked, and what. */
interface Question<Value> {
  readonly api: AnnouncedApi;
  readonly method: BytesMethod;
  readonly partialResponse: boolean;
  /** Null where an endpoint has no part of the answer. */
  requestFor(endpoint: Endpoint): Uint8Array | null;
  read(frames: readonly Uint8Array[]): Gathered<Value>;
}

/** The knowledge of all endpoints. */
export function gatheredKnowledge(options: GatherOptions): KnowledgeSource {
  const { replicaLabels } = options;
  return {
    async metadata(request, signal) {
      const { partialResponse } = request;
      const bytes = encodeMetadataRequest(request);
      const { value, warnings } = await ask(options, signal, {
        ...{ api: 'metric-metadata', method: METRIC_METADATA, partialResponse },
        requestFor: () => bytes,
        read: readMetadata,
      });
      const joined = joinMetadata(value);
      const { limit } = request;
      return { value: limit < 0 ? joined : new Map([...joined].slice(0, limit)), warnings };
    },
    async exemplars(request, signal) {
      const { partialResponse } = request;
      const selectors = selectorsOf(parseQuery(request.query)).map(({ matchers }) => matchers);
      const { value, warnings } = await ask(options, signal, {
        ...{ api: 'exemplars', method: EXEMPLARS, partialResponse },
        requestFor({ info }) {
          const query = queryFor(selectors, info?.labelSets ?? []);
          return query === '' ? null : encodeExemplarsRequest({ ...request, query });
        },
        read: readExemplars,
      });
      // An endpoint with several label sets was asked without matchers that only some of them pass.
      const wanted = value.flat().filter(({ labels }) => selects(selectors, labels));
      return { value: joinExemplars(wanted, replicaLabels), warnings };
    },
    async targets({ partialResponse }, signal) {
      const bytes = encodeTargetsRequest(partialResponse);
      const { value, warnings } = await ask(options, signal, {
        ...{ api: 'targets', method: TARGETS, partialResponse },
        requestFor: () => bytes,
        read: readTargets,
      });
      const active = joinTargets(
        value.flatMap(part => part.active),
        replicaLabels,
      );
      const dropped = value.flatMap(part => part.dropped);
      return { value: { active, dropped }, warnings };
    },
  };
}

async function ask<Value>(
  { endpoints, storeMatch, onPartial }: GatherOptions,
  signal: AbortSignal,
  question: Question<Value>,
): Promise<Gathered<Value[]>> {
  const { partialResponse } = question;
  // Nobody knows what an endpoint knows that has never answered.
  const wanted = endpoints().filter(
    ({ address, info }) =>
      selected(address, storeMatch) && (!info || info.apis.includes(question.api)),
  );
  const missing = wanted.filter(({ healthy }) => !healthy);
  if (!partialResponse) refuseMissing(missing);
  for (const _ of missing) onPartial();
  const parts = await Promise.all(
    wanted
      .filter(({ healthy }) => healthy)
      .map(async endpoint => {
        const request = question.requestFor(endpoint);
        if (request === null) return { value: null, warnings: [] };
        const { address, client } = endpoint;
        const answer = client.frames(question.method, request, signal).then(question.read);
        return await tolerantPart(answer, { address, partialResponse, onPartial });
      }),
  );
  const value = parts.flatMap(part => (part.value === null ? [] : [part.value]));
  return { value, warnings: [...describeMissing(missing), ...parts.flatMap(p => p.warnings)] };
}

/**
 * The selectors as an endpoint with these external labels can answer them; '' where none can match. What lies
 * behind an endpoint need not know its external labels, so matchers on them are judged here.
 */
export function queryFor(
  selectors: readonly (readonly Matcher[])[],
  labelSets: readonly Labels[],
): string {
  const texts = new Set<string>();
  for (const matchers of selectors) {
    const rests =
      labelSets.length === 0 ? [matchers] : labelSets.map(set => stripExternal(matchers, set));
    for (const rest of rests) if (rest !== null) texts.add(selectorText(rest));
  }
  return [...texts].join(' + ');
}

function selects(selectors: readonly (readonly Matcher[])[], labels: Labels): boolean {
  return selectors.some(matchers => matchesAll(matchers, name => labels.get(name)));
}

function selectorText(matchers: readonly Matcher[]): string {
  const isOpen = matchers.every(matcher => matcher.matchesEmpty);
  const texts = matchers.map(printMatcher);
  if (isOpen) texts.push(`${METRIC_NAME}!=""`);
  return `{${texts.join(',')}}`;
}

/** Each description once, metrics by name. */
function joinMetadata(
  parts: readonly ReadonlyMap<string, readonly MetricMetadata[]>[],
): Map<string, readonly MetricMetadata[]> {
  const joined = new Map<string, MetricMetadata[]>();
  for (const part of parts) {
    for (const [name, metas] of part) {
      const known = joined.get(name) ?? [];
      joined.set(name, known);
      for (const one of metas) {
        const isKnown = known.some(
          ({ type, help, unit }) => type === one.type && help === one.help && unit === one.unit,
        );
        if (!isKnown) known.push(one);
      }
    }
  }
  return new Map([...joined].sort(([a], [b]) => compareStrings(a, b)));
}

/** Series by their labels without those of replicas; each exemplar once, by time. */
function joinExemplars(
  parts: readonly SeriesExemplars[],
  replicaLabels: readonly string[],
): SeriesExemplars[] {
  const bySeries = new Map<string, { labels: Labels; exemplars: Map<string, Exemplar> }>();
  for (const part of parts) {
    const labels = part.labels.without(replicaLabels);
    const known = bySeries.get(labels.key) ?? { labels, exemplars: new Map() };
    bySeries.set(labels.key, known);
    for (const one of part.exemplars) {
      known.exemplars.set(`${one.time} ${one.value} ${one.labels.key}`, one);
    }
  }
  return [...bySeries.values()]
    .map(({ labels, exemplars }) => ({
      labels,
      exemplars: [...exemplars.values()].sort((a, b) => a.time - b.time),
    }))
    .sort((a, b) => a.labels.compareTo(b.labels));
}

/** Of replicas of a target the one that was collected from last. */
function joinTargets(
  targets: readonly KnownTarget[],
  replicaLabels: readonly string[],
): KnownTarget[] {
  const byKey = new Map<string, KnownTarget>();
  for (const target of targets) {
    const labels = target.labels.without(replicaLabels);
    const key = `${target.pool} ${target.url} ${labels.key}`;
    const known = byKey.get(key);
    if (known && known.lastScrape >= target.lastScrape) continue;
    const discoveredLabels = target.discoveredLabels.without(replicaLabels);
    byKey.set(key, { ...target, labels, discoveredLabels });
  }
  return [...byKey.values()];
}
