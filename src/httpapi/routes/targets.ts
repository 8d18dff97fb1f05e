// What is collected from: targets, their pools, and what their metrics mean.

import { formatDuration } from '../../encoding/units.ts';
import { compareStrings } from '../../labels/compare.ts';
import { type Matcher, matchesAll } from '../../labels/matcher.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { parseSelector } from '../../promql/parser.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiRoute } from '../route.ts';
import type { ApiTarget } from '../sources.ts';

/** `/api/v1/targets`, `/api/v1/targets/…` and `/api/v1/scrape_pools`; empty where nothing is collected. */
export function targetRoutes(options: ApiOptions): ApiRoute[] {
  const targets = (): readonly ApiTarget[] => options.targets?.() ?? [];
  return [
    {
      methods: ['GET'],
      path: '/api/v1/targets',
      handle: ({ parameters }) => ({ kind: 'data', data: discovery(targets(), parameters) }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/scrape_pools',
      handle: () => ({ kind: 'data', data: { scrapePools: poolsOf(targets()) } }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/targets/metadata',
      handle: ({ parameters }) => ({ kind: 'data', data: metadataOf(targets(), parameters) }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/targets/relabel_steps',
      handle: ({ parameters }) => ({ kind: 'data', data: relabelSteps(targets(), parameters) }),
    },
  ];
}

function poolsOf(targets: readonly ApiTarget[]): string[] {
  return [...new Set(targets.map(({ pool }) => pool))].sort(compareStrings);
}

function discovery(targets: readonly ApiTarget[], parameters: Parameters) {
  const state = parameters.text('state');
  const pool = parameters.text('scrapePool');
  const showActive = state === '' || state === 'any' || state === 'active';
  const active = showActive ? targets.filter(one => pool === '' || one.pool === pool) : [];
  const counts = poolsOf(targets).map(name => [name, 0] as const);
  return {
    activeTargets: active.map(targetJson),
    droppedTargets: [],
    droppedTargetCounts: Object.fromEntries(counts),
  };
}

function targetJson(target: ApiTarget) {
  return {
    discoveredLabels: target.discoveredLabels.toObject(),
    labels: target.labels.toObject(),
    scrapePool: target.pool,
    scrapeUrl: target.url,
    globalUrl: target.url,
    lastError: target.lastError,
    // What Go prints for a time that never was.
    lastScrape:
      target.lastScrape === 0 ? '0001-01-01T00:00:00Z' : new Date(target.lastScrape).toISOString(),
    lastScrapeDuration: target.lastScrapeMs / 1000,
    health: target.health,
    scrapeInterval: formatDuration(target.intervalMs),
    scrapeTimeout: formatDuration(target.timeoutMs),
  };
}

function metadataOf(targets: readonly ApiTarget[], parameters: Parameters): object[] {
  const limit = wholeNumber(parameters);
  const matchers = targetMatchers(parameters.text('match_target'));
  const metric = parameters.text('metric');
  const found: object[] = [];
  for (const { labels, metadata } of targets) {
    if (!matchesAll(matchers, name => labels.get(name))) continue;
    const target = labels.toObject();
    for (const [name, { type, help, unit }] of metadata) {
      if (limit >= 0 && found.length >= limit) return found;
      // One metric asked for by name is not named again.
      if (metric === '') found.push({ target, metric: name, type, help, unit });
      else if (metric === name) found.push({ target, type, help, unit });
    }
  }
  return found;
}

/** −1 where the parameter is absent: no limit. */
function wholeNumber(parameters: Parameters): number {
  const text = parameters.text('limit');
  if (text === '') return -1;
  if (/^[+-]?\d{1,15}$/.test(text)) return Math.max(-1, Number(text));
  throw new OutpostError('bad-data', 'limit must be a number');
}

function targetMatchers(text: string): readonly Matcher[] {
  if (text === '') return [];
  try {
    return parseSelector(text).matchers;
  } catch (error) {
    const isTextWrong = error instanceof OutpostError && error.code === 'bad-data';
    throw isTextWrong ? invalidParameter('match_target', error.message) : error;
  }
}

/** Nothing is relabelled here, so there are no steps. */
function relabelSteps(targets: readonly ApiTarget[], parameters: Parameters): { steps: [] } {
  const pool = parameters.text('scrapePool');
  if (pool === '') throw new OutpostError('bad-data', 'no scrapePool parameter provided');
  const labels = parameters.text('labels');
  if (labels === '') throw new OutpostError('bad-data', 'no labels parameter provided');
  if (!isLabelObject(labels)) {
    throw new OutpostError('bad-data', 'error parsing labels: expected an object of strings');
  }
  if (poolsOf(targets).includes(pool)) return { steps: [] };
  const text = `error retrieving scrape config: scrape pool ${JSON.stringify(pool)} not found`;
  throw new OutpostError('bad-data', text);
}

function isLabelObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.values(value).every(one => typeof one === 'string');
  } catch {
    return false; // no JSON
  }
}
