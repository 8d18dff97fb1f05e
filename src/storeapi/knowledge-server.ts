// Serves what a component knows beside its series, in Thanos' services for it.

import type { Labels } from '../labels/labels.ts';
import type { Matcher } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { parseQuery } from '../promql/parser.ts';
import { selectorsOf } from '../promql/selectors.ts';
import type { MetadataSource } from '../storage/appender.ts';
import type { ExemplarQueryable, SeriesExemplars } from '../storage/exemplar.ts';
import { stripExternal } from './external-labels.ts';
import type { FrameStream, GrpcServer } from './grpc-server.ts';
import type { AnnouncedApi } from './info.ts';
import {
  decodeExemplarsRequest,
  decodeMetadataRequest,
  decodeTargetsRequest,
  EXEMPLARS,
  type ExemplarsRequest,
  exemplarFrames,
  type Gathered,
  type KnownTargets,
  METRIC_METADATA,
  type MetadataByName,
  type MetadataRequest,
  metadataFrames,
  TARGETS,
  targetFrames,
} from './knowledge.ts';

/** Whoever knows. Each throws OutpostError. */
export interface KnowledgeSource {
  metadata(request: MetadataRequest, signal: AbortSignal): Promise<Gathered<MetadataByName>>;
  exemplars(
    request: ExemplarsRequest,
    signal: AbortSignal,
  ): Promise<Gathered<readonly SeriesExemplars[]>>;
  targets(
    request: { readonly partialResponse: boolean },
    signal: AbortSignal,
  ): Promise<Gathered<KnownTargets>>;
}

/** What Info announces of a server with these services. */
export const KNOWLEDGE_APIS: readonly AnnouncedApi[] = ['metric-metadata', 'targets', 'exemplars'];

/** Adds the services to a server. */
export function serveKnowledge(
  server: GrpcServer,
  source: KnowledgeSource,
  notReady: () => string | null,
): void {
  const refuseUnready = (): void => {
    const reason = notReady();
    if (reason !== null) throw new OutpostError('unavailable', `the store is not ready: ${reason}`);
  };
  server.stream(METRIC_METADATA, async (bytes, stream) => {
    refuseUnready();
    const request = decodeMetadataRequest(bytes);
    const answer = await source.metadata(request, stream.signal);
    await send(stream, metadataFrames(complete(answer, request)));
  });
  server.stream(EXEMPLARS, async (bytes, stream) => {
    refuseUnready();
    const request = decodeExemplarsRequest(bytes);
    const answer = await source.exemplars(request, stream.signal);
    await send(stream, exemplarFrames(complete(answer, request)));
  });
  server.stream(TARGETS, async (bytes, stream) => {
    refuseUnready();
    const request = decodeTargetsRequest(bytes);
    const { value, warnings } = complete(await source.targets(request, stream.signal), request);
    const active = request.state === 'dropped' ? [] : value.active;
    const dropped = request.state === 'active' ? [] : value.dropped;
    await send(stream, targetFrames({ value: { active, dropped }, warnings }));
  });
}

function complete<Value>(
  answer: Gathered<Value>,
  { partialResponse }: { readonly partialResponse: boolean },
): Gathered<Value> {
  if (partialResponse || answer.warnings.length === 0) return answer;
  throw new OutpostError('execution', answer.warnings.join('; '));
}

async function send(stream: FrameStream, frames: Iterable<Uint8Array>): Promise<void> {
  for (const frame of frames) {
    const drained = stream.write(frame);
    if (drained) await drained;
  }
}

export interface LocalKnowledge {
  readonly metadata: MetadataSource;
  readonly exemplars: ExemplarQueryable;
  readonly targets: () => KnownTargets;
  /** Added to series and targets. */
  readonly externalLabels: () => Labels;
}

/** What a process knows by itself. */
export function localKnowledge(local: LocalKnowledge): KnowledgeSource {
  return {
    async metadata({ metric, limit }) {
      const value = new Map<string, [{ type: string; help: string; unit: string }]>();
      for (const [name, one] of local.metadata.metadata()) {
        if (limit >= 0 && value.size >= limit) break;
        if (metric === '' || metric === name) value.set(name, [one]);
      }
      return { value, warnings: [] };
    },
    async exemplars({ query, minTime, maxTime }) {
      const external = local.externalLabels();
      const selectors = selectorsOf(parseQuery(query))
        .map(({ matchers }) => stripExternal(matchers, external))
        .filter((matchers): matchers is readonly Matcher[] => matchers !== null);
      if (selectors.length === 0) return { value: [], warnings: [] };
      const found = await local.exemplars.exemplars(minTime, maxTime, selectors);
      const value = found.map(({ labels, exemplars }) => ({
        labels: labels.merge(external),
        exemplars,
      }));
      return { value, warnings: [] };
    },
    async targets() {
      const external = local.externalLabels();
      const { active, dropped } = local.targets();
      const value = {
        active: active.map(target => ({
          ...target,
          discoveredLabels: target.discoveredLabels.merge(external),
          labels: target.labels.merge(external),
        })),
        dropped: dropped.map(labels => labels.merge(external)),
      };
      return { value, warnings: [] };
    },
  };
}
