// Groups of targets as files and HTTP endpoints write them: a list of `{targets, labels}`, in YAML or JSON.
// The one door to YAML of discovery.

import { parse } from 'yaml';
import { OutpostError } from '../lifecycle/errors.ts';
import type { TargetGroup } from './discoverer.ts';

const KEYS = ['targets', 'labels'];
/** Targets that one text may name. */
const TARGETS_MAX = 1_000_000;

/**
 * Reads a text; `labels` are added to every group, whose source is its place. Throws `bad-data` where
 * anything is not what it should be: half a list of targets is not published.
 */
export function parseGroups(
  text: string,
  { format, source, labels }: GroupTextOptions,
): TargetGroup[] {
  const list = parseText(text, format, source);
  if (!Array.isArray(list)) throw wrong(source, 'it is no list of groups');
  let count = 0;
  return list.map((group: unknown, i) => {
    const place = `group ${i}`;
    if (typeof group !== 'object' || group === null || Array.isArray(group)) {
      throw wrong(source, `${place} is not an object with targets`);
    }
    const unknown = Object.keys(group).find(key => !KEYS.includes(key));
    if (unknown !== undefined) throw wrong(source, `${place} has the unknown key "${unknown}"`);
    const { targets = [], labels: own = {} } = group as { targets?: unknown; labels?: unknown };
    if (!Array.isArray(targets) || !targets.every(one => typeof one === 'string')) {
      throw wrong(source, `the targets of ${place} are no list of texts`);
    }
    count += targets.length;
    if (count > TARGETS_MAX) throw wrong(source, `it has more than ${TARGETS_MAX} targets`);
    return {
      source: `${source}:${i}`,
      targets: targets.map((address: string) => ({ __address__: address })),
      labels: { ...textLabels(own, `${source}: the labels of ${place}`), ...labels },
    };
  });
}

export interface GroupTextOptions {
  readonly format: 'json' | 'yaml';
  /** Names the text in errors and in the groups' sources. */
  readonly source: string;
  readonly labels: Readonly<Record<string, string>>;
}

function parseText(text: string, format: 'json' | 'yaml', source: string): unknown {
  try {
    return format === 'json' ? JSON.parse(text) : parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new OutpostError('bad-data', `read targets of ${source}: ${reason}`, { cause });
  }
}

function textLabels(value: unknown, what: string): Record<string, string> {
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(what, 'they are no object');
  const labels: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    if (typeof text === 'object') throw wrong(what, `"${name}" is not a text`);
    labels[name] = String(text);
  }
  return labels;
}

function wrong(source: string, reason: string): OutpostError {
  return new OutpostError('bad-data', `read targets of ${source}: ${reason}`);
}
