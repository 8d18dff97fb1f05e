// The one door to YAML: a file against a schema, every mistake with line, column and the mend.

import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';
import { nearest } from './suggest.ts';

const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** Mistakes told at once; typebox finds no more. */
const MISTAKES_MAX = 8;
/** Longest part of a wrong value that is shown. */
const SHOWN_MAX = 60;

/** Something that a schema cannot see, at a path of keys. */
export interface Mistake {
  /** Numbers of list items as texts. A last key that is absent stands for what would hold it. */
  readonly keys: readonly string[];
  readonly message: string;
}

/** Finds what is wrong with a value that its schema takes. */
export type MistakeFinder<Value> = (value: Value) => Iterable<Mistake>;

/**
 * Reads and checks a file. Throws `bad-data` with a line for each mistake: file, line, column, what is wrong
 * and the mend.
 */
export function readConfigFile<Schema extends TSchema>(
  path: string,
  schema: Schema,
  mistakes?: MistakeFinder<Static<Schema>>,
): Static<Schema> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `read configuration ${path}: ${systemReason(cause)}`;
    throw new OutpostError('bad-data', message, { cause });
  }
  if (text.length > FILE_BYTES_MAX) {
    throw new OutpostError('bad-data', `read configuration ${path}: it is larger than 4 MiB`);
  }
  return parseConfig(text, path, schema, mistakes);
}

/** Checks a text as `readConfigFile` does; `path` is only named in errors. */
export function parseConfig<Schema extends TSchema>(
  text: string,
  path: string,
  schema: Schema,
  mistakes?: MistakeFinder<Static<Schema>>,
): Static<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const syntax = document.errors[0];
  if (syntax) {
    const at = syntax.linePos?.[0];
    const message =
      syntax.code === 'MULTIPLE_DOCS'
        ? 'a second document begins here; one file holds one'
        : syntax.message.split('\n')[0]!.replace(/ at line.*$/, '');
    throw new OutpostError('bad-data', `${path}:${at?.line ?? 1}:${at?.col ?? 1}: ${message}`);
  }
  const value = withoutGaps(contentOf(document, path), schema);
  const checker = Compile(schema);
  const found = checker.Check(value)
    ? [...(mistakes?.(value as Static<Schema>) ?? [])]
    : schemaMistakes([...checker.Errors(value)], value, schema);
  if (found.length === 0) return value as Static<Schema>;
  const told = found
    .map(({ keys, message }) => ({ at: locate(document, lines, keys), message }))
    .sort((a, b) => a.at.line - b.at.line || a.at.col - b.at.col)
    .map(({ at, message }) => `${path}:${at.line}:${at.col}: ${message}`);
  throw new OutpostError('bad-data', told.slice(0, MISTAKES_MAX).join('\n'));
}

/**
 * `path:line:column` of the key, or of the nearest one above it, in a file that has at least `least` of the
 * keys; null in one that has not, or that cannot be read.
 */
export function placeOfKeys(path: string, keys: readonly string[], least: number): string | null {
  try {
    const lines = new LineCounter();
    const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines });
    if (!document.hasIn(keys.slice(0, least))) return null;
    const { line, col } = locate(document, lines, keys);
    return `${path}:${line}:${col}`;
  } catch {
    return null;
  }
}

/** Aliases are for repetition, not for documents that grow without end. */
function contentOf(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OutpostError('bad-data', `${path}:1:1: ${reason}`, { cause });
  }
}

/** A section whose keys are all commented out is null in YAML; here it is an empty one. */
function withoutGaps(value: unknown, node: SchemaNode | undefined): unknown {
  if (!node) return value;
  if (value === null && (node.properties || node.patternProperties)) return {};
  if (value === null && node.items) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, withoutGaps(child, childNode(node, key))]),
  );
}

interface SchemaError {
  readonly keyword: string;
  readonly message: string;
  readonly instancePath: string;
}

/** One mistake for each place; complaints of what encloses another only repeat it. */
function schemaMistakes(
  errors: readonly SchemaError[],
  value: unknown,
  schema: TSchema,
): Mistake[] {
  const byPlace = new Map<string, SchemaError>();
  for (const error of errors) {
    if (error.keyword === 'additionalProperties') continue;
    if (!byPlace.has(error.instancePath)) byPlace.set(error.instancePath, error);
  }
  const places = [...byPlace.keys()];
  const innermost = places.filter(place => !places.some(other => other.startsWith(`${place}/`)));
  return innermost.map(place => {
    const keys = place.split('/').slice(1).map(unescapePointer);
    return { keys, message: explain(byPlace.get(place)!, keys, { value, schema }) };
  });
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

function explain(
  error: SchemaError,
  keys: readonly string[],
  { value, schema }: { readonly value: unknown; readonly schema: TSchema },
): string {
  const place = keys.join('.');
  if (error.keyword === 'boolean') return unknownKey(place, keys, schema);
  const given = inspect(keys.reduce(valueAt, value), { depth: 1, breakLength: Infinity });
  const shown = given.length > SHOWN_MAX ? `${given.slice(0, SHOWN_MAX)}…` : given;
  const expected = expectation(error, nodeAt(schema, keys));
  return place === '' ? `the file is ${shown}; ${expected}` : `"${place}" is ${shown}; ${expected}`;
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'expected keys with values',
  array: 'expected a list',
  string: 'expected a text',
  integer: 'expected a whole number',
  boolean: 'expected true or false',
};

function expectation({ keyword, message }: SchemaError, node: SchemaNode | undefined): string {
  if (node?.examples) return `expected a value such as ${node.examples.join(' or ')}`;
  if (keyword === 'minLength' || keyword === 'minItems') return 'it must not be empty';
  if (keyword === 'type' && node?.type) return TYPES[node.type] ?? `it ${message}`;
  return `it ${message}`;
}

function unknownKey(place: string, keys: readonly string[], schema: TSchema): string {
  const key = keys.at(-1)!;
  const parent = nodeAt(schema, keys.slice(0, -1));
  const known = Object.keys(parent?.properties ?? {});
  const near = nearest(key, known);
  if (near) return `unknown key "${place}"; did you mean "${near}"?`;
  if (known.length > 0) return `unknown key "${place}"; known keys are ${known.join(', ')}`;
  const example = parent?.examples?.join(' or ');
  return `"${key}" cannot be a name here${example ? `; an example is ${example}` : ''}`;
}

function valueAt(parent: unknown, key: string): unknown {
  return (parent as Readonly<Record<string, unknown>> | null | undefined)?.[key];
}

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly examples?: readonly unknown[];
}

/** The schema of what lies at a path; undefined where the schema knows nothing of it. */
function nodeAt(schema: TSchema, keys: readonly string[]): SchemaNode | undefined {
  let node = schema as SchemaNode | undefined;
  for (const key of keys) {
    node = childNode(node, key);
  }
  return node;
}

function childNode(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  return node?.properties?.[key] ?? node?.items ?? Object.values(node?.patternProperties ?? {})[0];
}

/** Where the key at a path is, or the nearest enclosing value. */
function locate(
  document: Document,
  lines: LineCounter,
  keys: readonly string[],
): { readonly line: number; readonly col: number } {
  for (let length = keys.length; length >= 0; length--) {
    const path = keys.slice(0, length);
    const node = keyNode(document, path) ?? document.getIn(path, true);
    if (isNode(node) && node.range) {
      return lines.linePos(node.range[0]);
    }
  }
  return { line: 1, col: 1 };
}

/** The node of the key itself, so that an unknown key is pointed at and not its value. */
function keyNode(document: Document, path: readonly string[]): unknown {
  const parent = document.getIn(path.slice(0, -1), true);
  const items = (parent as { items?: { key?: unknown }[] } | undefined)?.items;
  if (!Array.isArray(items)) return undefined;
  return items.find(item => String(item.key) === path.at(-1))?.key;
}
