// Which distribution runs here, from os-release (freedesktop.org's os-release(5)).

import { join } from 'node:path';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { Cadence } from './cadence.ts';

const PLACES = ['etc/os-release', 'usr/lib/os-release'];
/** An upgrade in place is seen this late. */
const READ_MS = 60_000;
const INFO_LABELS = [
  'build_id',
  'id',
  'id_like',
  'image_id',
  'image_version',
  'name',
  'pretty_name',
  'variant',
  'variant_id',
  'version',
  'version_codename',
  'version_id',
] as const;

type Facts = readonly (readonly [Series, number])[];

export const osRelease = defineCollector({
  name: 'os',
  help: 'Name, version and end of support of the operating system.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const cadence = new Cadence(READ_MS);
    const toFacts = newFacts(metrics);
    const absent = new NoDataError(`no ${PLACES.join(' and no ')} below ${files.roots.rootfs}`);
    let facts: Facts | null = null;
    return time => {
      if (cadence.due(time)) {
        const text = firstText(files);
        facts = text === null ? null : toFacts(parseOsRelease(text));
      }
      if (facts === null) throw absent;
      for (const [series, value] of facts) series.set(value);
    };
  },
});

function firstText(files: Files): string | null {
  for (const place of PLACES) {
    const text = files.text(join(files.roots.rootfs, place));
    if (text !== null) return text;
  }
  return null;
}

function newFacts(metrics: Metrics): (release: ReadonlyMap<string, string>) => Facts {
  const info = metrics.gauge<readonly string[]>({
    name: 'node_os_info',
    help: 'Identity of the operating system; always 1.',
    labels: INFO_LABELS,
  });
  const version = metrics.gauge({
    name: 'node_os_version',
    help: 'Version of the operating system: its first number and, after a dot, its second.',
    labels: ['id', 'id_like', 'name'],
  });
  const supportEnd = metrics.gauge({
    name: 'node_os_support_end_timestamp_seconds',
    help: 'When support of the operating system ends, Unix time.',
    unit: 'seconds',
  });
  return release => {
    const value = (key: string): string => release.get(key.toUpperCase()) ?? '';
    const labels = INFO_LABELS.map(value);
    const facts: [Series, number][] = [[info.with(...labels), 1]];
    const number = Number.parseFloat(/^\d+\.?\d*/.exec(value('version_id'))?.[0] ?? '0');
    if (number > 0) {
      facts.push([version.with(value('id'), value('id_like'), value('name')), number]);
    }
    const end = Date.parse(`${value('support_end')}T00:00:00Z`);
    if (!Number.isNaN(end)) facts.push([supportEnd.with(), end / 1000]);
    return facts;
  };
}

/** Assignments as in a shell: NAME=value, NAME="value" with backslash escapes, NAME='value'. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const release = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, written] = /^\s*(\w+)=(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    release.set(name, unquote(written!));
  }
  return release;
}

function unquote(written: string): string {
  const [, single] = /^'([^']*)'$/.exec(written) ?? [];
  if (single !== undefined) return single;
  const [, double] = /^"(.*)"$/.exec(written) ?? [];
  return (double ?? written).replace(/\\(.)/g, '$1');
}
