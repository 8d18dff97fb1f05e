// The reference says what the code does today.

import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { referenceDocs } from '../../scripts/reference-docs.ts';
import { OPERATIONS } from '../../src/httpapi/openapi/operations.ts';
import { projectFile } from './documents.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('generated pages', async () => {
  const pages = await referenceDocs();

  test.each([...pages])('%s is current', (path, text) => {
    expect(projectFile(path), 'run npm run docs and commit what it writes').toBe(text);
  });

  test('leave nothing out for want of a name', () => {
    for (const text of pages.values()) expect(text).not.toMatch(/\bundefined\b|\[object/);
  });
});

describe('the HTTP API', () => {
  // Every route is an object with its methods and path; names of status pages are keys of an object.
  const sources = globSync('{src,agent,federation}/**/*.ts', { cwd: ROOT }).map(path =>
    readFileSync(`${ROOT}${path}`, 'utf8'),
  );
  const inCode = sources.flatMap(source =>
    [...source.matchAll(/methods: \[([^\]]+)\],\s*path: '([^']+)'/g)].map(
      ([, methods, path]) => `${methods!.replaceAll("'", '')} ${path}`,
    ),
  );
  const page = projectFile('docs/reference/http-api.md');
  const inPage = [...page.matchAll(/^\| `((?:GET|POST|PUT|, )+ \/[^`]*)`/gm)].map(
    match => match[1]!,
  );
  const statusPages = ['flags', 'config', 'runtimeinfo'].map(name => `GET /api/v1/status/${name}`);

  const operations = ['clean_tombstones', 'delete_series', 'snapshot'].map(
    name => `POST, PUT /api/v1/admin/tsdb/${name}`,
  );

  test('has its routes in the page, with their methods, and no others', () => {
    expect(inCode.length).toBeGreaterThan(10);
    expect([...inPage].sort()).toEqual([...inCode, ...statusPages, ...operations].sort());
  });

  test('has the operations on the store that the code has', () => {
    const source = projectFile('src/httpapi/routes/admin.ts');
    const keys = [...source.matchAll(/^ {2}(\w+): (?:async|\w+,$)/gm)].map(match => match[1]!);
    expect(keys.sort().map(name => `POST, PUT /api/v1/admin/tsdb/${name}`)).toEqual(operations);
  });

  test('has every path of the page in the OpenAPI document, and no others', () => {
    const inDocument = Object.keys(OPERATIONS).sort();
    const paths = inPage.map(line => line.slice(line.indexOf('/')));
    expect([...new Set(paths)].sort()).toEqual(inDocument);
  });

  test('has the status pages the process adds', () => {
    const source = projectFile('src/cli/status.ts');
    const keys = [...source.matchAll(/^ {4}(\w+): \(\) =>/gm)].map(match => match[1]);
    expect(keys).toEqual(['flags', 'config', 'runtimeinfo']);
  });

  test('has the parameters that the querier reads in the page', () => {
    const source = projectFile('federation/query/request-options.ts');
    const read = [...source.matchAll(/(?:all\(|flag\(parameters, )'([^']+)'/g)].map(one => one[1]!);
    expect(read).toHaveLength(4);
    for (const name of read) expect(page).toContain(`\`${name}\``);
  });
});
