// Our routes, parameters and answers against the OpenAPI document of Prometheus 3.14.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Notifications } from '../../src/httpapi/notifications.ts';
import type { ApiTarget, StoreSource } from '../../src/httpapi/sources.ts';
import { Labels } from '../../src/labels/labels.ts';
import { type ApiUnderTest, newTestApi } from '../fakes/api.ts';
import { corpusFolder } from '../fakes/corpora.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

interface Operation {
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: { readonly content: Record<string, { schema?: Schema }> };
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: Schema }> }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const NOW = 1_700_000_000_000;
const METHODS = ['get', 'post', 'put', 'delete'] as const;

// What Prometheus serves and this API does not by itself, with the reason; the list may only shrink.
const SEARCH = 'behind a feature flag upstream; /features says that it is not there';
const ABSENT: Readonly<Record<string, string>> = {
  'GET /search/label_names': SEARCH,
  'GET /search/label_values': SEARCH,
  'GET /search/metric_names': SEARCH,
  'GET /status/walreplay': 'needs a database, which this API has not',
  'POST /otlp/v1/metrics': 'OTLP is off upstream by default, and not taken here',
  'POST /search/label_names': SEARCH,
  'POST /search/label_values': SEARCH,
  'POST /search/metric_names': SEARCH,
};

const folder = corpusFolder('http-api-openapi');
describe.skipIf(folder === null)(
  folder ? 'the API contract' : 'corpus http-api-openapi is absent',
  () => {
    let contract: Document;
    let tested: ApiUnderTest;
    let schemas: Document['components']['schemas'];

    const counts = [{ name: 'up', value: 1 }];
    const store: StoreSource = {
      statistics: async () => ({
        ...{ series: 1, chunks: 1, minTime: NOW, maxTime: NOW, labelPairs: 2 },
        seriesCountByMetricName: counts,
        labelValueCountByLabelName: counts,
        memoryInBytesByLabelName: counts,
        seriesCountByLabelValuePair: counts,
      }),
      blocks: () => [
        {
          ulid: '01F',
          minTime: 1,
          maxTime: 2,
          stats: {
            ...{ numSamples: 1, numFloatSamples: 1, numHistogramSamples: 0 },
            ...{ numSeries: 1, numChunks: 1, numTombstones: 0 },
          },
          compaction: { level: 1, sources: ['01F'] },
        },
      ],
    };
    const target: ApiTarget = {
      discoveredLabels: Labels.fromObject({ __address__: 'os' }),
      labels: Labels.fromObject({ job: 'node' }),
      ...{ pool: 'plugin/os', url: 'plugin://os', lastError: '' },
      ...{ lastScrape: NOW, lastScrapeMs: 1, health: 'up', intervalMs: 1000, timeoutMs: 1000 },
      metadata: new Map([['up', { type: 'gauge', help: 'Up.', unit: '' }]]),
    };

    beforeAll(async () => {
      contract = parse(readFileSync(join(folder!, 'openapi_3.2_golden.yaml'), 'utf8'));
      schemas = contract.components.schemas;
      const notifications = new Notifications(() => NOW);
      notifications.begin('It is late.');
      const status = {
        flags: () => ({ a: 'b' }),
        config: () => ({ yaml: '' }),
        runtimeinfo: () => ({ startTime: '2023-11-14T22:13:20Z' }),
      };
      tested = newTestApi(NOW, { store, targets: () => [target], notifications, status });
      const appender = tested.storage.appender();
      const ref = appender.series(Labels.fromObject({ __name__: 'up', job: 'a' }));
      appender.append(ref, NOW, 1);
      appender.metadata('up', { type: 'gauge', help: 'Up.', unit: '' });
      await appender.commit();
      await tested.api.ready();
    });

    function operations(): [name: string, url: string, operation: Operation][] {
      return Object.entries(contract.paths).flatMap(([path, item]) =>
        METHODS.filter(method => item[method]).map(method => {
          const url = `/api/v1${path.replace(/\{(\w+)\}/g, ':$1')}`;
          return [`${method.toUpperCase()} ${path}`, url, item[method]!] as [
            string,
            string,
            Operation,
          ];
        }),
      );
    }

    // Every path has a route for each method, those not allowed answer 405.
    async function isServed(name: string, url: string): Promise<boolean> {
      const method = name.split(' ')[0] as 'GET';
      if (!tested.api.hasRoute({ method, url })) return false;
      // Its answer has no end.
      if (url.endsWith('/live')) return true;
      return (
        (await tested.api.inject({ method, url: url.replace(':name', 'x') })).statusCode !== 405
      );
    }

    test('is served in full but for a known list', async () => {
      const absent: string[] = [];
      for (const [name, url] of operations()) if (!(await isServed(name, url))) absent.push(name);
      expect(absent.sort()).toEqual(Object.keys(ABSENT));
    });

    test('has its parameters read: a wrong value is refused by name', async () => {
      // These take any text.
      const free = ['metric_name_pattern', 'query', 'name', 'metric', 'stats'];
      // Nothing to choose from: there are no rules and targets, so every parameter leaves them out.
      const empty = ['GET /rules', 'GET /targets', 'GET /alerts', 'GET /alertmanagers'];
      // All labels are text, and which pools there are is looked at first.
      empty.push('GET /targets/relabel_steps');
      const unread: string[] = [];
      for (const [name, url, { parameters = [] }] of operations()) {
        if (!name.startsWith('GET') || empty.includes(name)) continue;
        if (!(await isServed(name, url))) continue;
        for (const parameter of parameters.filter(p => !free.includes(p.name))) {
          const good = { query: 'up', start: '0', end: '1', step: '1', 'match[]': 'up' };
          const query = new URLSearchParams({ ...good, [parameter.name]: '{wrong' });
          const response = await tested.api.inject(`${url.replace(':name', 'job')}?${query}`);
          if (response.statusCode !== 400) unread.push(`${name} ${parameter.name}`);
        }
      }
      expect(unread).toEqual([]);
    });

    test.each([
      ['/query', '/query?query=up'],
      ['/query', '/query?query=up[1m]'],
      ['/query', '/query?query=1&stats=true'],
      ['/query_range', '/query_range?query=up&start=1700000000&end=1700000001&step=1'],
      ['/series', '/series?match[]=up'],
      ['/labels', '/labels?limit=1'],
      ['/label/{name}/values', '/label/job/values'],
      ['/metadata', '/metadata'],
      ['/format_query', '/format_query?query=up'],
      ['/parse_query', '/parse_query?query=up'],
      ['/status/buildinfo', '/status/buildinfo'],
      ['/rules', '/rules'],
      ['/alerts', '/alerts'],
      ['/alertmanagers', '/alertmanagers'],
      ['/targets', '/targets'],
      ['/targets/metadata', '/targets/metadata'],
      ['/targets/relabel_steps', '/targets/relabel_steps?scrapePool=plugin/os&labels={}'],
      ['/scrape_pools', '/scrape_pools'],
      ['/status/tsdb', '/status/tsdb'],
      ['/status/tsdb/blocks', '/status/tsdb/blocks'],
      ['/status/self_metrics', '/status/self_metrics'],
      ['/features', '/features'],
      ['/notifications', '/notifications'],
    ])('gives %s the shape it promises: %s', async (path, url) => {
      const response = await tested.api.inject(`/api/v1${url}`);
      expect(response.statusCode).toBe(200);
      const promised =
        contract.paths[path]!['get']!.responses['200']!.content!['application/json']!;
      expect(mismatch(response.json(), promised.schema, '$')).toBeNull();
    });

    test('gives errors the shape it promises', async () => {
      const response = await tested.api.inject('/api/v1/query?query=(');
      const promised = contract.paths['/query']!['get']!.responses['default']!;
      const { schema } = promised.content!['application/json']!;
      expect(mismatch(response.json(), schema, '$')).toBeNull();
    });

    test('notices a wrong shape', () => {
      const { schema } =
        contract.paths['/labels']!['get']!.responses['200']!.content!['application/json']!;
      expect(mismatch({ status: 'success', data: [1] }, schema, '$')).toContain('$.data[0]');
      expect(mismatch({ data: [] }, schema, '$')).toContain('$.status');
      expect(mismatch({ status: 'success', data: [], extra: 1 }, schema, '$')).toContain('$.extra');
    });

    describe('the document served', () => {
      async function served(search = ''): Promise<Document & { openapi: string }> {
        const response = await tested.api.inject(`/api/v1/openapi.yaml${search}`);
        expect([response.statusCode, response.headers['content-type']]).toEqual([
          200,
          'application/yaml; charset=utf-8',
        ]);
        return parse(response.payload);
      }

      test('describes every operation of the contract, with its parameters', async () => {
        const { paths } = await served();
        const wrong: string[] = [];
        for (const [path, item] of Object.entries(contract.paths)) {
          for (const method of METHODS.filter(one => item[one])) {
            const name = `${method.toUpperCase()} ${path}`;
            if (name in ABSENT) continue;
            const ours = paths[`/api/v1${path}`]?.[method];
            const missing = [...taken(contract, item[method]!)].filter(
              parameter => !taken({ ...contract, paths }, ours).has(parameter),
            );
            if (missing.length > 0 || !ours) wrong.push(`${name}: ${missing.join(', ')}`);
          }
        }
        expect(wrong).toEqual([]);
      });

      test('knows all paths by more than their name', async () => {
        const { paths } = await served();
        const tags = Object.values(paths).flatMap(item => Object.values(item).flatMap(o => o.tags));
        expect(tags).not.toContain('others');
        expect(Object.keys(paths).length).toBe(41);
      });

      test.each([
        ['/query', '/query?query=up&stats=1'],
        ['/query', '/query?query=up[1m]'],
        ['/query', '/query?query=1'],
        ['/query_range', '/query_range?query=up&start=1700000000&end=1700000001&step=1'],
        ['/query_explain', '/query_explain?query=rate(up[1m])'],
        ['/series', '/series?match[]=up'],
        ['/label/{name}/values', '/label/job/values'],
        ['/metadata', '/metadata'],
        ['/status/buildinfo', '/status/buildinfo'],
        ['/status/tsdb', '/status/tsdb'],
        ['/status/tsdb/blocks', '/status/tsdb/blocks'],
        ['/targets', '/targets'],
        ['/targets/metadata', '/targets/metadata'],
        ['/notifications', '/notifications'],
        ['/features', '/features'],
      ])('says what %s answers: %s', async (path, url) => {
        const document = await served();
        const response = await tested.api.inject(`/api/v1${url}`);
        const promised = document.paths[`/api/v1${path}`]!['get']!.responses['200']!.content!;
        const { schema } = promised['application/json']!;
        schemas = document.components.schemas;
        const wrong = mismatch(response.json(), schema, '$');
        schemas = contract.components.schemas;
        expect(wrong).toBeNull();
      });

      test('comes in two versions', async () => {
        expect((await served()).openapi).toBe('3.1.0');
        expect((await served('?openapi_version=3.2')).openapi).toBe('3.2.0');
      });
    });

    // Names of parameters in the URL and of keys of the form; those that must be given end in `!`.
    function taken({ components }: Document, operation: Operation | undefined): Set<string> {
      const names = (operation?.parameters ?? []).map(p => (p.required ? `${p.name}!` : p.name));
      const form = operation?.requestBody?.content['application/x-www-form-urlencoded']?.schema;
      const schema = form?.$ref ? components.schemas[form.$ref.split('/').pop()!] : form;
      const keys = Object.keys(schema?.properties ?? {});
      const required = schema?.required ?? [];
      return new Set([...names, ...keys.map(key => (required.includes(key) ? `${key}!` : key))]);
    }

    // Where a value breaks its schema, or null.
    function mismatch(value: unknown, schema: Schema, at: string): string | null {
      const { $ref } = schema;
      if ($ref) return mismatch(value, schemas[$ref.split('/').pop()!]!, at);
      const choices = schema.oneOf ?? schema.anyOf;
      if (choices) {
        const tried = choices.map(choice => mismatch(value, choice, at));
        return tried.includes(null) ? null : tried.join(' or ');
      }
      if (schema.enum && !schema.enum.includes(value)) return `${at} is not one of ${schema.enum}`;
      const types = [schema.type ?? []].flat();
      if (types.length > 0 && !types.includes(typeOf(value, types))) return `${at} is no ${types}`;
      if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) {
          const wrong = schema.items ? mismatch(item, schema.items, `${at}[${i}]`) : null;
          if (wrong) return wrong;
        }
        return null;
      }
      return typeof value === 'object' && value !== null ? wrongKey(value, schema, at) : null;
    }

    function wrongKey(value: object, schema: Schema, at: string): string | null {
      const missing = schema.required?.find(key => !(key in value));
      if (missing) return `${at}.${missing} is missing`;
      for (const [key, item] of Object.entries(value)) {
        const known = schema.properties?.[key] ?? schema.additionalProperties ?? {};
        if (known === false) return `${at}.${key} is not promised`;
        const wrong = known === true ? null : mismatch(item, known, `${at}.${key}`);
        if (wrong) return wrong;
      }
      return null;
    }

    function typeOf(value: unknown, types: readonly string[]): string {
      if (Array.isArray(value)) return 'array';
      if (value === null) return 'null';
      if (Number.isInteger(value) && types.includes('integer')) return 'integer';
      return typeof value;
    }
  },
);
