// The door to YAML for rule files: a text as maps, lists and texts that know their places. Aliases and merge
// keys are resolved; how large they may make the tree is bounded.

import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  type YAMLMap,
} from 'yaml';

/** A place in a file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What a text consists of. */
export type YamlNode = YamlText | YamlMap | YamlList;

/** A scalar, as it is written for a person: `1` and `true` are texts too. */
export interface YamlText {
  readonly kind: 'text';
  readonly text: string;
  readonly place: Place;
  /** The place of a character of `text`; the scalar's own where lines were folded or characters escaped. */
  placeOf(offset: number): Place;
}

/** Keys in their order; those merged in (`<<`) come last. */
export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
  readonly place: Place;
}

/** A key with its value; null where there is none. */
export interface YamlEntry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: YamlNode | null;
}

/** Items in their order; null for those that are empty. */
export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly (YamlNode | null)[];
  readonly place: Place;
}

/** A text that is no YAML, or not one that is read here. */
export class YamlError extends Error {
  readonly place: Place;

  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}

const NODES_MAX = 1_000_000;
const DEPTH_MAX = 64;
const START: Place = { line: 1, column: 1 };

/** Reads a text; null where it holds nothing. Throws YamlError. */
export function parseYaml(text: string): YamlNode | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const problem = document.errors[0];
  if (problem) {
    const at = problem.linePos?.[0];
    const message =
      problem.code === 'MULTIPLE_DOCS'
        ? 'a second document begins here; one file holds one'
        : problem.message.split('\n')[0]!.replace(/ at line.*$/, '');
    throw new YamlError(at ? { line: at.line, column: at.col } : START, message);
  }
  return new Tree(text, lines).node(document.contents, 0);
}

class Tree {
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;
  /** How many aliases the walk is inside of. */
  #aliases = 0;

  constructor(text: string, lines: LineCounter) {
    this.#text = text;
    this.#lines = lines;
  }

  node(source: unknown, depth: number): YamlNode | null {
    if (!isNode(source)) return null;
    const place = this.#place(source.range?.[0] ?? 0);
    if (++this.#nodes > NODES_MAX) throw new YamlError(place, `more than ${NODES_MAX} values`);
    if (depth > DEPTH_MAX) throw new YamlError(place, `nested deeper than ${DEPTH_MAX} levels`);
    if (isAlias(source)) return this.#aliased(source, place, depth);
    if ('anchor' in source && source.anchor && this.#aliases === 0) {
      this.#anchors.set(source.anchor, source);
    }
    if (isMap(source)) return { kind: 'map', entries: this.#entries(source, depth), place };
    if (isSeq(source)) {
      const items = source.items.map(item => this.node(item, depth + 1));
      return { kind: 'list', items, place };
    }
    return isScalar(source) ? this.#scalar(source, place) : null;
  }

  #aliased(source: Alias, place: Place, depth: number): YamlNode | null {
    const target = this.#anchors.get(source.source);
    if (!target) throw new YamlError(place, `there is no anchor "${source.source}" before this`);
    this.#aliases++;
    const node = this.node(target, depth + 1);
    this.#aliases--;
    return node;
  }

  #entries(map: YAMLMap, depth: number): YamlEntry[] {
    const own: YamlEntry[] = [];
    const merged: YamlEntry[] = [];
    for (const { key, value } of map.items) {
      const keyPlace = this.#place((isNode(key) && key.range?.[0]) || 0);
      if (isScalar(key) && typeof key.value === 'symbol') {
        merged.push(...this.#merged(value, keyPlace, depth));
        continue;
      }
      const name = this.node(key, depth + 1);
      if (name !== null && name.kind !== 'text') throw new YamlError(keyPlace, 'a key is no text');
      own.push({ key: name?.text ?? '', keyPlace, value: this.node(value, depth + 1) });
    }
    const known = new Set(own.map(({ key }) => key));
    for (const entry of merged) {
      if (known.has(entry.key)) continue;
      known.add(entry.key);
      own.push(entry);
    }
    return own;
  }

  #merged(value: unknown, place: Place, depth: number): readonly YamlEntry[] {
    const node = this.node(value, depth + 1);
    if (node?.kind === 'map') return node.entries;
    const maps = node?.kind === 'list' ? node.items : [null];
    return maps.flatMap(item => {
      if (item?.kind !== 'map') throw new YamlError(place, 'only maps can be merged in');
      return item.entries;
    });
  }

  /** Null where nothing is written; `null` and `~` are nothing too. */
  #scalar(scalar: Scalar, place: Place): YamlText | null {
    if (scalar.value === null) return null;
    const isText = typeof scalar.value === 'string';
    const text = isText ? String(scalar.value) : (scalar.source ?? String(scalar.value));
    return { kind: 'text', text, place, placeOf: offset => this.#placeIn(scalar, text, offset) };
  }

  #placeIn(scalar: Scalar, text: string, offset: number): Place {
    const [from = 0, to = 0] = scalar.range ?? [];
    const written = this.#text.slice(from, to);
    if (scalar.type !== Scalar.BLOCK_LITERAL) {
      // Where it is written as it reads, its characters lie side by side.
      const inset = written.indexOf(text);
      return this.#place(inset < 0 ? from : from + inset + offset);
    }
    const before = text.slice(0, offset).split('\n');
    const rows = written.split('\n');
    const row = rows[before.length] ?? '';
    const column = before.at(-1)!.length;
    const indent = row.length - (text.split('\n')[before.length - 1] ?? '').length;
    const start = rows.slice(0, before.length).reduce((sum, line) => sum + line.length + 1, 0);
    return this.#place(from + start + Math.max(0, indent) + column);
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}
