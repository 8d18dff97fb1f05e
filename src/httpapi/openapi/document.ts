// The OpenAPI document of the routes that are served.

import type { ApiRoute, HttpMethod } from '../route.ts';
import { COMPONENTS } from './components.ts';
import { OPERATIONS, type OperationDocs } from './operations.ts';
import type { ParameterDocs } from './parameters.ts';
import { list, oneOf, record, ref, type Schema, text } from './schema.ts';

/** Versions of the specification in which the document can be written; it needs nothing that differs. */
export type OpenApiVersion = '3.1.0' | '3.2.0';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Describes every route; of one that OPERATIONS does not know, no more than that it is there. */
export function openApiDocument(
  routes: readonly Pick<ApiRoute, 'path' | 'methods'>[],
  { version, revision }: { readonly version: OpenApiVersion; readonly revision: string },
): object {
  const paths: Record<string, Record<string, object>> = {};
  const tags = new Set<string>();
  for (const { path, methods } of routes) {
    const docs = OPERATIONS[path] ?? { tag: 'others', summary: path };
    tags.add(docs.tag);
    const shown = path.replace(/:(\w+)/g, '{$1}');
    paths[shown] = {
      ...paths[shown],
      ...Object.fromEntries(methods.map(m => [m.toLowerCase(), operation(path, m, docs)])),
    };
  }
  return {
    openapi: version,
    info: { title: 'Outpost', version: revision },
    servers: [{ url: '/' }],
    tags: [...tags].sort().map(name => ({ name })),
    paths,
    components: { schemas: COMPONENTS },
  };
}

function operation(path: string, method: HttpMethod, docs: OperationDocs): object {
  const { tag, summary, parameters = [], body } = docs;
  const isForm = method === 'POST' && docs.data !== undefined && parameters.length > 0;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(found => ({
    ...{ name: found[1], in: 'path', required: true, schema: text },
  }));
  const inUrl = isForm ? [] : parameters.map(urlParameter);
  return {
    tags: [tag],
    summary,
    operationId: `${method.toLowerCase()}${path.replace(/\W+(\w?)/g, (_, c: string) => c.toUpperCase())}`,
    ...(inPath.length + inUrl.length > 0 && { parameters: [...inPath, ...inUrl] }),
    ...(isForm && { requestBody: content([FORM_TYPE], formSchema(parameters), true) }),
    ...(body && { requestBody: content(body, undefined, true) }),
    responses: responses(docs),
  };
}

function urlParameter({ name, description, schema, required = false }: ParameterDocs): object {
  return { name, in: 'query', description, required, schema };
}

function formSchema(parameters: readonly ParameterDocs[]): Schema {
  const properties = parameters.map(({ name, schema, description }) => [
    name,
    { ...schema, description },
  ]);
  const optional = parameters.filter(({ required }) => !required).map(({ name }) => name);
  return record(Object.fromEntries(properties), optional);
}

function responses({ data, content: types = [] }: OperationDocs): object {
  const failed = { description: 'Error', ...content([JSON_TYPE], ref('Error')) };
  if (data) {
    const envelope = record(
      { status: oneOf('success'), data, warnings: list(text), infos: list(text) },
      ['warnings', 'infos'],
    );
    return { 200: { description: 'Success', ...content([JSON_TYPE], envelope) }, default: failed };
  }
  if (types.length === 0) return { 204: { description: 'Done' }, default: failed };
  return { 200: { description: 'Success', ...content(types) }, default: failed };
}

function content(types: readonly string[], schema?: Schema, required?: boolean): object {
  const entries = types.map(type => [type, schema ? { schema } : {}] as const);
  return { ...(required && { required }), content: Object.fromEntries(entries) };
}

/** A document as YAML: blocks of keys and lists, texts in JSON's quotes, which are YAML's too. */
export function toYaml(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []\n';
    const items = value.map(item => `${indent}-${toYaml(item, `${indent}  `)}`);
    return `\n${items.join('')}`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, child]) => child !== undefined);
    if (entries.length === 0) return ' {}\n';
    const lines = entries.map(([key, child]) => {
      return `${indent}${JSON.stringify(key)}:${toYaml(child, `${indent}  `)}`;
    });
    return `\n${lines.join('')}`;
  }
  return ` ${JSON.stringify(value)}\n`;
}
