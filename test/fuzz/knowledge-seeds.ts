// Frames of what components know beside their series.

import { Labels } from '../../src/labels/labels.ts';
import {
  encodeExemplarsRequest,
  encodeMetadataRequest,
  exemplarFrames,
  metadataFrames,
  targetFrames,
} from '../../src/storeapi/knowledge.ts';

/** One of each kind of message. */
export function knowledgeSeeds(): Uint8Array[] {
  const labels = Labels.fromObject({ a: 'b', c: 'd' });
  const exemplar = { labels, value: 1.5, time: 1_700_000_000_000 };
  const target = {
    ...{ discoveredLabels: labels, labels, pool: 'p', url: 'http://x', lastError: 'late' },
    ...{ lastScrape: 1_700_000_000_123, lastScrapeMs: 4, health: 'down' as const },
  };
  const warnings = ['endpoint b: gone'];
  const meta = { type: 'gauge', help: 'h', unit: 's' };
  return [
    encodeMetadataRequest({ metric: 'up', limit: 3, partialResponse: false }),
    encodeExemplarsRequest({ query: 'up', minTime: 1, maxTime: 2, partialResponse: false }),
    ...metadataFrames({ value: new Map([['up', [meta]]]), warnings }),
    ...exemplarFrames({ value: [{ labels, exemplars: [exemplar] }], warnings }),
    ...targetFrames({ value: { active: [target], dropped: [labels] }, warnings }),
  ];
}
