// Taste as a test: what a reviewer would have to say again and again. Every message names the mend.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE_ROOTS = ['src', 'agent', 'federation', 'plugins', 'test', 'scripts'];
const FILE_LINES_MAX = 500;

/** Floors from the top; a file may import its own folder, and folders on lower floors. */
const FLOORS: readonly (readonly string[])[] = [
  ['src/cli'],
  ['agent', 'federation/query', 'plugins/host', 'src/tools'],
  [
    'src/scrape',
    'src/discovery',
    'src/storeapi',
    'src/httpapi',
    'src/remote',
    'src/exposition',
    'plugins/sdk',
    'plugins/os',
    'plugins/hardware',
    'plugins/builtin',
    'plugins/examples',
  ],
  ['src/promql', 'src/rules', 'src/downsample'],
  ['src/tsdb'],
  ['src/storage'],
  [
    'src/http-client',
    'src/labels',
    'src/encoding',
    'src/kernels',
    'src/lifecycle',
    'src/telemetry',
    'proto/gen',
  ],
];

/** Neighbours on one floor that may see each other, with the reason. */
const NEIGHBOURS: readonly (readonly [string, string, string])[] = [
  ['src/labels', 'src/lifecycle', 'ground: errors'],
  ['src/encoding', 'src/lifecycle', 'ground: errors'],
  ['src/encoding', 'src/kernels', 'ground: xxhash in the kernel'],
  ['src/kernels', 'src/lifecycle', 'ground: errors'],
  ['src/telemetry', 'src/labels', 'ground: metrics carry labels'],
  ['src/telemetry', 'src/lifecycle', 'ground: errors'],
  ['src/lifecycle', 'src/telemetry', 'ground: actors log'],
  ['src/http-client', 'src/lifecycle', 'ground: errors'],
  ['src/scrape', 'src/discovery', 'pools take what discoverers find'],
  ['src/scrape', 'src/exposition', 'targets answer in exposition formats'],
  ['src/httpapi', 'src/exposition', 'the API serves /metrics'],
  ['src/httpapi', 'src/remote', 'the API serves /api/v1/write'],
  ['src/rules', 'src/promql', 'rules are expressions'],
  ['agent', 'plugins/host', 'the agent runs the host and is its sink'],
  ['plugins/os', 'plugins/sdk', 'collectors are written against the SDK'],
  ['plugins/hardware', 'plugins/sdk', 'collectors are written against the SDK'],
  ['plugins/examples', 'plugins/sdk', 'what an outsider writes'],
  ['plugins/builtin', 'plugins/sdk', 'the process that the built-in sets share'],
  ['plugins/builtin', 'plugins/os', 'the process that the built-in sets share'],
  ['plugins/builtin', 'plugins/hardware', 'the process that the built-in sets share'],
];

/** One door for each outside library: only these may import it. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  re2js: ['src/labels/regex.ts'],
  fastify: ['src/httpapi/'],
  yaml: ['src/cli/', 'src/rules/yaml-tree.ts', 'src/discovery/group-text.ts'],
  commander: ['src/cli/'],
  typebox: ['src/cli/'],
  'typebox/compile': ['src/cli/'],
  'lru-cache': ['src/'],
  'protobufjs/minimal.js': ['proto/gen/', 'src/encoding/'],
  '@grpc/grpc-js': ['src/storeapi/', 'plugins/host/', 'plugins/sdk/'],
  '@prometheus-io/lezer-promql': ['src/promql/'],
  '@lezer/common': ['src/promql/'],
  systeminformation: ['plugins/hardware/inventory-main.ts'],
};

const FORBIDDEN_FOLDERS = ['utils', 'util', 'helpers', 'common', 'misc', 'shared', 'lib'];

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly except: readonly string[];
  /** True where comments are searched too. */
  readonly inComments?: boolean;
}

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(/,
    instead: 'take a Clock',
    except: ['src/lifecycle/clock.ts', 'src/cli/'],
  },
  { pattern: /\bnew Date\(\)/, instead: 'take a Clock', except: [] },
  { pattern: /\bMath\.random\(/, instead: 'take a random function', except: ['src/cli/'] },
  {
    pattern: /\bset(Timeout|Interval)\(/,
    instead: 'take a Clock and use after()',
    except: ['src/lifecycle/clock.ts', 'src/cli/process.ts'],
  },
  {
    pattern: /\bprocess\.exit\(/,
    instead: 'set process.exitCode and let the actors end',
    except: ['src/cli/', 'plugins/sdk/'],
  },
  {
    pattern: /\bprocess\.(argv|env)\b/,
    instead: 'let the main read it and pass it down',
    except: ['src/cli/', 'plugins/sdk/', 'plugins/os/main.ts', 'plugins/builtin/main.ts'],
  },
  {
    pattern: /\bconsole\./,
    instead: 'take a Logger, or write to the stream the main passes',
    except: ['src/cli/', 'plugins/sdk/'],
  },
  {
    pattern: /@ts-(ignore|expect-error|nocheck)/,
    instead: 'mend the type',
    except: [],
    inComments: true,
  },
  {
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    instead: 'do it, or say in ARCHITECTURE.md that it does not exist',
    except: [],
  },
  { pattern: /\bas any\b|: any\b|<any>/, instead: 'use unknown and narrow it', except: [] },
  {
    pattern: /\busing \w+ = /,
    instead: 'use withFile or try/finally: the oldest Node.js we run on does not know it',
    except: [],
  },
  { pattern: /^export \* from/m, instead: 'import from the file that defines it', except: [] },
];

/** The list may only shrink; each entry with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const files = SOURCE_ROOTS.flatMap(root => walk(join(ROOT, root)))
  .map(file => relative(ROOT, file))
  .filter(file => file.endsWith('.ts') && !file.includes('/assembly/') && !file.endsWith('.d.ts'));
const product = files.filter(file => !file.startsWith('test/') && !file.startsWith('scripts/'));
const text = new Map(files.map(file => [file, readFileSync(join(ROOT, file), 'utf8')]));

describe('the house is tidy', () => {
  it('has imports that only go down the floors', () => {
    const wrong = product.flatMap(file =>
      importsOf(file)
        .filter(target => target.startsWith('.'))
        .map(target => normalize(join(dirname(file), target)))
        .filter(target => !mayImport(file, target))
        .map(target => `${file} imports ${target}: move what both need a floor down`),
    );
    expect(wrong).toEqual([]);
  });

  it('has one door for each outside library', () => {
    const wrong = product.flatMap(file =>
      importsOf(file)
        .filter(target => !target.startsWith('.') && !target.startsWith('node:'))
        .filter(target => !DOORS[target]?.some(door => file.startsWith(door)))
        .map(
          target =>
            `${file} imports ${target}: go through ${DOORS[target]?.join(' or ') ?? 'a new door in DOORS'}`,
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('has no import cycles', () => {
    expect(cycles()).toEqual([]);
  });

  it('has no file longer than a reader can hold', () => {
    const long = product
      .filter(file => lines(file) > FILE_LINES_MAX && !(file in LONG_FILES))
      .map(file => `${file} has ${lines(file)} lines: split it by idea, at most ${FILE_LINES_MAX}`);
    expect(long).toEqual([]);
    const stale = Object.keys(LONG_FILES).filter(
      file => !text.has(file) || lines(file) <= FILE_LINES_MAX,
    );
    expect(stale, 'remove these from LONG_FILES').toEqual([]);
  });

  it('has no folder that is named for nothing', () => {
    const wrong = files.filter(file =>
      file.split('/').some(part => FORBIDDEN_FOLDERS.includes(part)),
    );
    expect(wrong, 'name the idea instead').toEqual([]);
  });

  it('has no footguns outside their one place', () => {
    const wrong = product.flatMap(file =>
      BANS.filter(ban => !ban.except.some(place => file.startsWith(place)))
        .filter(ban => ban.pattern.test(ban.inComments ? text.get(file)! : codeOf(file)))
        .map(ban => `${file}: ${ban.pattern.source} — ${ban.instead}`),
    );
    expect(wrong).toEqual([]);
  });

  it('says at the head of each file what it is for', () => {
    const wrong = product.filter(file => !/^(#!.*\n)?\/\/ \S/.test(text.get(file)!));
    expect(wrong, 'begin with a comment of one to six lines').toEqual([]);
  });

  it('has a contract on every exported function and class', () => {
    const wrong = product.flatMap(file =>
      [
        ...text
          .get(file)!
          .matchAll(
            /^(?<before>.*\n)?export (?:async )?(?:abstract )?(?:function\*?|class) (?<name>\w+)/gm,
          ),
      ]
        .filter(match => !/\*\/\s*$/.test(match.groups?.['before'] ?? ''))
        .map(
          match =>
            `${file}: ${match.groups?.['name']} needs a doc comment: units, order of calls, ownership, errors`,
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('has no file that nobody imports', () => {
    const imported = new Set(
      files.flatMap(file =>
        [...importsOf(file), ...entriesNamedIn(file)].map(target =>
          normalize(join(dirname(file), target)),
        ),
      ),
    );
    const roots = product.filter(
      file => /(^|\/)main\.ts$/.test(file) || file.startsWith('plugins/examples/'),
    );
    const dead = product.filter(file => !imported.has(file) && !roots.includes(file));
    expect(dead, 'delete it or use it').toEqual([]);
  });

  it('has no focused or skipped tests', () => {
    const wrong = files.filter(
      file =>
        file.endsWith('.test.ts') &&
        file !== 'test/tidy.test.ts' &&
        /\b(it|test|describe)\.(only|todo)\b/.test(text.get(file)!),
    );
    expect(wrong).toEqual([]);
  });
});

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    if (name === 'fixtures' || name === 'node_modules') return [];
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });
}

function codeOf(file: string): string {
  return text.get(file)!.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '$1');
}

function lines(file: string): number {
  return text.get(file)!.split('\n').length - 1;
}

function importsOf(file: string): string[] {
  return [
    ...(text.get(file) ?? '').matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)import\s+'([^']+)'/g,
    ),
  ].map(match => (match[1] ?? match[2] ?? match[3])!);
}

/** Worker and process entries are named by URL rather than imported. */
function entriesNamedIn(file: string): string[] {
  return [...text.get(file)!.matchAll(/new URL\([`'"](\.[^`'"]+\.ts)/g)].map(match => match[1]!);
}

function folderOf(path: string): { folder: string; floor: number } | null {
  for (const [floor, folders] of FLOORS.entries()) {
    const folder = folders.find(name => path.startsWith(`${name}/`));
    if (folder) return { folder, floor };
  }
  return null;
}

function mayImport(file: string, target: string): boolean {
  const from = folderOf(file);
  const to = folderOf(target);
  if (!from || !to) return false;
  if (from.folder === to.folder) return true;
  // A collector, like any outsider's, sees the SDK and nothing else.
  if (/^plugins\/(os|hardware|examples)$/.test(from.folder)) return to.folder === 'plugins/sdk';
  if (from.floor < to.floor) return true;
  return NEIGHBOURS.some(([a, b]) => from.folder === a && to.folder === b);
}

function cycles(): string[] {
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done' || !text.has(file)) return;
    if (state.get(file) === 'open') {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    // Type-only imports vanish at run time and cannot form a cycle.
    const source = text.get(file)!.replace(/import type [^;]+;/g, '');
    for (const match of source.matchAll(/from\s+'(\.[^']+)'/g)) {
      visit(normalize(join(dirname(file), match[1]!)), [...path, file]);
    }
    state.set(file, 'done');
  };
  for (const file of product) visit(file, []);
  return found;
}
