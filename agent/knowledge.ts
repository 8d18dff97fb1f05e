// What the agent tells other servers beside its series: what its metrics mean, exemplars, what it collects from.

import type { ApiOptions } from '../src/httpapi/options.ts';
import type { Labels } from '../src/labels/labels.ts';
import type { MetadataSource } from '../src/storage/appender.ts';
import type { ExemplarQueryable } from '../src/storage/exemplar.ts';
import { type KnowledgeSource, localKnowledge } from '../src/storeapi/knowledge-server.ts';

export interface AgentKnowledge {
  readonly store: MetadataSource & ExemplarQueryable;
  readonly live: Pick<ApiOptions, 'targets' | 'scrapePools'>;
  readonly externalLabels: () => Labels;
}

/** The agent's own knowledge, with its external labels. */
export function agentKnowledge({ store, live, externalLabels }: AgentKnowledge): KnowledgeSource {
  return localKnowledge({
    metadata: store,
    exemplars: store,
    targets: () => ({
      active: live.targets?.() ?? [],
      dropped: (live.scrapePools?.() ?? []).flatMap(({ dropped }) => dropped),
    }),
    externalLabels,
  });
}
