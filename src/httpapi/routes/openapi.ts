// The API's description of itself.

import { type OpenApiVersion, openApiDocument, toYaml } from '../openapi/document.ts';
import type { ApiOptions } from '../options.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/openapi.yaml`: describes `routes` and itself. */
export function openApiRoute({ buildInfo }: ApiOptions, routes: readonly ApiRoute[]): ApiRoute {
  const made = new Map<OpenApiVersion, string>();
  const own: ApiRoute = {
    methods: ['GET'],
    path: '/api/v1/openapi.yaml',
    always: true,
    handle: ({ parameters }) => {
      const version = parameters.text('openapi_version').startsWith('3.2') ? '3.2.0' : '3.1.0';
      let text = made.get(version);
      if (text === undefined) {
        const { revision } = buildInfo;
        text = toYaml(openApiDocument([...routes, own], { version, revision })).trimStart();
        made.set(version, text);
      }
      return { kind: 'plain', status: 200, contentType: 'application/yaml; charset=utf-8', text };
    },
  };
  return own;
}
