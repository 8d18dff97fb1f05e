// What the endpoints know, as the querier's HTTP API asks for it.

import type { GatheredSource } from '../../src/httpapi/gathered.ts';
import type { QueryTier } from './query-tier.ts';
import { requestOptions } from './request-options.ts';

/** Reads the querier's own parameters of each request. */
export function gatheredSource(tier: QueryTier): GatheredSource {
  return {
    async metadata(ask, { parameters, signal }) {
      const options = requestOptions(parameters);
      const { partialResponse } = options;
      return await tier.knowledgeFor(options).metadata({ ...ask, partialResponse }, signal);
    },
    async exemplars(ask, { parameters, signal }) {
      const options = requestOptions(parameters);
      const { partialResponse } = options;
      return await tier.knowledgeFor(options).exemplars({ ...ask, partialResponse }, signal);
    },
    async targets({ parameters, signal }) {
      const options = requestOptions(parameters);
      const { partialResponse } = options;
      return await tier.knowledgeFor(options).targets({ partialResponse }, signal);
    },
  };
}
