// Reads the fields of a YAML map as the types that are expected of them. What does not fit is reported with
// its place and reads as absent, so that one pass finds every mistake.

import type { Place, YamlEntry, YamlList, YamlMap, YamlNode, YamlText } from './yaml-tree.ts';

/** Takes one mistake. */
export type Report = (place: Place, message: string) => void;

const KIND_NAMES = { text: 'a text', map: 'keys with values', list: 'a list' } as const;

/** The fields of one map. */
export class MapReader {
  readonly report: Report;
  readonly #map: YamlMap;

  private constructor(map: YamlMap, report: Report) {
    this.#map = map;
    this.report = report;
  }

  /** A reader of a node that should be a map; null, and reported, where it is something else. */
  static of(node: YamlNode | null, what: string, report: Report): MapReader | null {
    if (node?.kind === 'map') return new MapReader(node, report);
    const place = node?.place ?? { line: 1, column: 1 };
    const found = node ? `is ${KIND_NAMES[node.kind]}` : 'is empty';
    report(place, `${what} ${found}; expected keys with values`);
    return null;
  }

  get place(): Place {
    return this.#map.place;
  }

  /** Reports every key that is not among the known ones. */
  allow(known: readonly string[]): void {
    for (const { key, keyPlace } of this.#map.entries) {
      if (known.includes(key)) continue;
      this.report(keyPlace, `unknown key "${key}"; known keys are ${known.join(', ')}`);
    }
  }

  /** Reports a mistake at a field's value, at its key where there is none, or at the map. */
  problem(key: string | null, message: string): void {
    const entry = this.#entry(key);
    this.report(entry?.value?.place ?? entry?.keyPlace ?? this.place, message);
  }

  /** A scalar field; null where it is absent or empty. */
  scalar(key: string): YamlText | null {
    return this.#value(key, 'text');
  }

  /** The text of a scalar field; '' where it is absent or empty. */
  text(key: string): string {
    return this.scalar(key)?.text ?? '';
  }

  /** The items of a list. */
  list(key: string): readonly (YamlNode | null)[] {
    return this.#value(key, 'list')?.items ?? [];
  }

  /** A map of texts. `problemOf` may refuse a pair; it is left out then. */
  texts(
    key: string,
    problemOf: (name: string, value: string) => string | null,
  ): ReadonlyMap<string, string> {
    const out = new Map<string, string>();
    for (const { key: name, keyPlace, value } of this.#value(key, 'map')?.entries ?? []) {
      if (value !== null && value.kind !== 'text') {
        this.report(value.place, `"${name}" is ${KIND_NAMES[value.kind]}; expected a text`);
        continue;
      }
      const text = value?.text ?? '';
      const problem = problemOf(name, text);
      if (problem === null) out.set(name, text);
      else this.report(keyPlace, problem);
    }
    return out;
  }

  #entry(key: string | null): YamlEntry | undefined {
    return this.#map.entries.find(entry => entry.key === key);
  }

  #value(key: string, kind: 'text'): YamlText | null;
  #value(key: string, kind: 'map'): YamlMap | null;
  #value(key: string, kind: 'list'): YamlList | null;
  #value(key: string, kind: YamlNode['kind']): YamlNode | null {
    const value = this.#entry(key)?.value ?? null;
    if (value === null || value.kind === kind) return value;
    this.report(value.place, `"${key}" is ${KIND_NAMES[value.kind]}; expected ${KIND_NAMES[kind]}`);
    return null;
  }
}
