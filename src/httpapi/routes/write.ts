// Remote write, where the mode takes it.

import { API_LIMITS, type ApiOptions } from '../options.ts';
import { type ApiRoute, plainAnswer } from '../route.ts';

const NOT_TAKEN =
  'remote write is not taken here; an agent takes it with --web.enable-remote-write-receiver\n';

/** `/api/v1/write`; 404 where the mode takes no samples. */
export function writeRoutes(options: ApiOptions): ApiRoute[] {
  const { write } = options;
  return [
    {
      methods: ['POST'],
      path: '/api/v1/write',
      rawBodyBytesMax: options.limits?.writeBytesMax ?? API_LIMITS.writeBytesMax,
      handle: async ({ headers, body }) => {
        if (!write) return plainAnswer(404, NOT_TAKEN);
        const answer = await write(body, {
          contentType: headers['content-type'],
          contentEncoding: headers['content-encoding'],
        });
        return {
          kind: 'plain',
          status: answer.status,
          contentType: 'text/plain; charset=utf-8',
          text: answer.message === '' ? '' : `${answer.message}\n`,
          headers: answer.headers,
        };
      },
    },
  ];
}
