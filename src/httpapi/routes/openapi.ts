// The API's description of itself.

import { type OpenApiVersion, openApiDocument, toYaml } from '../openapi/document.ts';
import type { ApiOptions } from '../options.ts';
import type { ApiRoute } from '../route.ts';

/** `/api/v1/openapi.yaml`: describes `routes` and itself. */
export function openApiRoute({ buildInfo }: ApiOptions, routes: readonly ApiRoute[]): ApiRoute {
  const path = '/api/v1/openapi.yaml';
  const methods = ['GET'] as const;
  const made = new Map<OpenApiVersion, string>();
  return {
    methods,
    path,
    always: true,
    handle: ({ parameters }) => {
      const version = parameters.text('openapi_version').startsWith('3.2') ? '3.2.0' : '3.1.0';
      let text = made.get(version);
      if (text === undefined) {
        const { revision } = buildInfo;
        const all = [...routes, { methods, path }];
        text = toYaml(openApiDocument(all, { version, revision })).trimStart();
        made.set(version, text);
      }
      return { kind: 'plain', status: 200, contentType: 'application/yaml; charset=utf-8', text };
    },
  };
}
