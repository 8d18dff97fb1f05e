// What becomes of a discovered target: the labels it starts with, relabelling, its address, its times. The
// rules are those of prometheus/prometheus scrape.PopulateLabels.

import { createHash } from 'node:crypto';
import type { TargetGroup, TargetLabels } from '../discovery/discoverer.ts';
import { formatDuration, parseDuration } from '../encoding/units.ts';
import { Labels } from '../labels/labels.ts';
import type { Relabeller } from '../labels/relabel.ts';
import type { ScrapeConfig } from './config.ts';

/** A target that is scraped. */
export interface Target {
  /** Before relabelling. */
  readonly discoveredLabels: Labels;
  /** Of every series of it. */
  readonly labels: Labels;
  readonly url: string;
  /** A unix socket to connect to, or ''. */
  readonly socketPath: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Equal for equal targets. */
  readonly key: string;
}

/** What a group's targets became. */
export interface TargetSet {
  readonly active: readonly Target[];
  /** Labels before relabelling of those that relabelling dropped. */
  readonly dropped: readonly Labels[];
  /** What is wrong with targets that could not be used. */
  readonly problems: readonly string[];
}

const HIDDEN = '__';
const META = '__meta_';
const PARAMETER = '__param_';

/** Makes targets of a job's groups; equal ones are one. */
export function targetsOf(
  groups: Iterable<TargetGroup>,
  config: ScrapeConfig,
  relabel: Relabeller,
): TargetSet {
  const active = new Map<string, Target>();
  const dropped: Labels[] = [];
  const problems: string[] = [];
  for (const group of groups) {
    for (const labels of group.targets) {
      const discovered = discoveredLabels(labels, group.labels, config);
      const relabelled = relabel(discovered);
      if (relabelled === null) dropped.push(discovered);
      else {
        const target = newTarget(discovered, relabelled, config);
        if (typeof target === 'string')
          problems.push(`${discovered.get('__address__')}: ${target}`);
        else active.set(target.key, target);
      }
    }
  }
  return { active: [...active.values()], dropped, problems };
}

/** The labels that relabelling starts from. */
export function discoveredLabels(
  labels: TargetLabels,
  groupLabels: TargetLabels,
  config: ScrapeConfig,
): Labels {
  const parameters = Object.entries(config.params).map(
    ([name, values]) => [PARAMETER + name, values[0] ?? ''] as const,
  );
  const own = Object.entries(labels).filter(([, value]) => value !== '');
  return Labels.fromPairs([
    ['job', config.jobName],
    ['__scrape_interval__', formatDuration(config.intervalMs)],
    ['__scrape_timeout__', formatDuration(config.timeoutMs)],
    ['__metrics_path__', config.metricsPath],
    ['__scheme__', config.scheme],
    ...parameters,
    ...Object.entries(groupLabels).filter(([, value]) => value !== ''),
    ...own,
  ]);
}

function newTarget(discovered: Labels, relabelled: Labels, config: ScrapeConfig): Target | string {
  const address = relabelled.get('__address__');
  if (address === '') return 'it has no address';
  if (address.includes('/')) return `"${address}" is not a host and port`;
  const intervalMs = parseDuration(relabelled.get('__scrape_interval__'));
  const timeoutMs = parseDuration(relabelled.get('__scrape_timeout__'));
  if (!intervalMs) return 'its scrape interval is not a duration above 0';
  if (!timeoutMs) return 'its scrape timeout is not a duration above 0';
  if (timeoutMs > intervalMs) return 'its scrape timeout is longer than its scrape interval';
  const url = targetUrl(relabelled, address, config);
  if (url === null) return `"${address}" is not a host and port`;
  const kept = [...relabelled].filter(([name]) => !name.startsWith(META));
  const named = Labels.fromPairs([['instance', address], ...kept]);
  const labels = Labels.fromPairs([...named].filter(([name]) => !name.startsWith(HIDDEN)));
  const socketPath = relabelled.get('__unix_socket__');
  return {
    discoveredLabels: discovered,
    labels,
    url,
    socketPath,
    intervalMs,
    timeoutMs,
    key: [labels.key, url, socketPath, intervalMs, timeoutMs].join('\n'),
  };
}

function targetUrl(labels: Labels, address: string, config: ScrapeConfig): string | null {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(config.params)) {
    for (const value of values) query.append(name, value);
  }
  for (const [name, value] of labels) {
    if (!name.startsWith(PARAMETER)) continue;
    const key = name.slice(PARAMETER.length);
    const [, ...further] = query.getAll(key);
    query.delete(key);
    for (const one of [value, ...further]) query.append(key, one);
  }
  query.sort();
  const path = labels.get('__metrics_path__');
  const tail = query.size > 0 ? `${path.includes('?') ? '&' : '?'}${query}` : '';
  const slash = path === '' || path.startsWith('/') ? '' : '/';
  const text = `${labels.get('__scheme__')}://${address}${slash}${path}${tail}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) return null;
  return text;
}

/**
 * Where in the interval a target is scraped, in ms: spread over targets by hash and over agents by `seed`,
 * the same after every start.
 */
export function offsetOf(target: Target, seed: number): number {
  const digest = createHash('md5').update(`${seed}\n${target.labels.key}\n${target.url}`).digest();
  return digest.readUIntBE(0, 6) % target.intervalMs;
}
