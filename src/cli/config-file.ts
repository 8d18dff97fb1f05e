// The one door to YAML: a file against a schema, every mistake with line, column and the mend.

import { readFileSync } from 'node:fs';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { OutpostError } from '../lifecycle/errors.ts';
import { nearest } from './suggest.ts';

const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Reads and checks a file. Throws `bad-data` naming file, line, column, what is wrong and the mend. */
export function readConfigFile<Schema extends TSchema>(
  path: string,
  schema: Schema,
): Static<Schema> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OutpostError('bad-data', `read configuration: ${reason}`, { cause });
  }
  if (text.length > FILE_BYTES_MAX) {
    throw new OutpostError('bad-data', `read configuration: ${path} is larger than 4 MiB`);
  }
  return parseConfig(text, path, schema);
}

/** Checks a text as `readConfigFile` does; `path` is only named in errors. */
export function parseConfig<Schema extends TSchema>(
  text: string,
  path: string,
  schema: Schema,
): Static<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const syntax = document.errors[0];
  if (syntax) {
    const at = syntax.linePos?.[0];
    const message = syntax.message.split('\n')[0]!.replace(/ at line.*$/, '');
    throw new OutpostError('bad-data', `${path}:${at?.line ?? 1}:${at?.col ?? 1}: ${message}`);
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const checker = Compile(schema);
  if (checker.Check(value)) return value as Static<Schema>;
  // The deepest complaint is the most specific one; those of enclosing objects only repeat it.
  const errors = [...checker.Errors(value)].filter(
    error => error.keyword !== 'additionalProperties',
  );
  const error = errors.sort((a, b) => depth(b.instancePath) - depth(a.instancePath))[0]!;
  const keys = error.instancePath.split('/').slice(1).map(unescapePointer);
  const position = locate(document, lines, keys);
  throw new OutpostError('bad-data', `${path}:${position}: ${explain(error, keys, schema)}`);
}

function depth(pointer: string): number {
  return pointer.split('/').length;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

function explain(
  error: { keyword: string; message: string; params: unknown },
  keys: readonly string[],
  schema: TSchema,
): string {
  const place = keys.join('.');
  if (error.keyword === 'boolean') {
    const key = keys.at(-1)!;
    const known = propertiesAt(schema, keys.slice(0, -1));
    const near = nearest(key, known);
    const hint = near ? `did you mean "${near}"?` : `known keys are ${known.join(', ')}`;
    return `unknown key "${place}"; ${hint}`;
  }
  if (error.keyword === 'enum' || error.keyword === 'const' || error.keyword === 'anyOf') {
    return `"${place}" has a value that is not allowed here`;
  }
  return `"${place || 'the file'}" ${error.message}`;
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
}

/** The keys a schema knows at a path. */
function propertiesAt(schema: TSchema, keys: readonly string[]): string[] {
  let node = schema as SchemaNode | undefined;
  for (const key of keys) {
    node =
      node?.properties?.[key] ?? node?.items ?? Object.values(node?.patternProperties ?? {})[0];
  }
  return Object.keys(node?.properties ?? {});
}

/** `line:column` of the key at a path, or of the nearest enclosing value. */
function locate(document: Document, lines: LineCounter, keys: readonly string[]): string {
  for (let length = keys.length; length >= 0; length--) {
    const path = keys.slice(0, length);
    const node = keyNode(document, path) ?? document.getIn(path, true);
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0]);
      return `${line}:${col}`;
    }
  }
  return '1:1';
}

/** The node of the key itself, so that an unknown key is pointed at and not its value. */
function keyNode(document: Document, path: readonly string[]): unknown {
  const parent = document.getIn(path.slice(0, -1), true);
  const items = (parent as { items?: { key?: unknown }[] } | undefined)?.items;
  if (!Array.isArray(items)) return undefined;
  return items.find(item => String(item.key) === path.at(-1))?.key;
}
