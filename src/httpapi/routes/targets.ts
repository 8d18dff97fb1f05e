// What is collected from: targets, their pools, and what their metrics mean.

import { formatDuration } from '../../encoding/units.ts';
import { compareStrings } from '../../labels/compare.ts';
import { Labels } from '../../labels/labels.ts';
import { type Matcher, matchesAll } from '../../labels/matcher.ts';
import type { RelabelStep } from '../../labels/relabel.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { parseSelector } from '../../promql/parser.ts';
import type { GatheredSource, GatheredTarget } from '../gathered.ts';
import type { ApiOptions } from '../options.ts';
import type { Parameters } from '../parameters.ts';
import { invalidParameter } from '../problem.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../route.ts';
import type { ApiScrapePool, ApiTarget } from '../sources.ts';

/** `/api/v1/targets`, `/api/v1/targets/…` and `/api/v1/scrape_pools`; empty where nothing is collected. */
export function targetRoutes(options: ApiOptions): ApiRoute[] {
  const targets = (): readonly ApiTarget[] => options.targets?.() ?? [];
  const pools = (): readonly ApiScrapePool[] => options.scrapePools?.() ?? [];
  const names = (): string[] => poolNames(targets(), pools());
  return [
    {
      methods: ['GET'],
      path: '/api/v1/targets',
      handle: request =>
        options.gathered
          ? gatheredTargets(options.gathered, request)
          : { kind: 'data', data: discovery(targets(), pools(), request.parameters) },
    },
    {
      methods: ['GET'],
      path: '/api/v1/scrape_pools',
      handle: () => ({ kind: 'data', data: { scrapePools: names() } }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/targets/metadata',
      handle: ({ parameters }) => ({ kind: 'data', data: metadataOf(targets(), parameters) }),
    },
    {
      methods: ['GET'],
      path: '/api/v1/targets/relabel_steps',
      handle: ({ parameters }) => ({
        kind: 'data',
        data: relabelling(names(), pools(), parameters),
      }),
    },
  ];
}

function poolNames(targets: readonly ApiTarget[], pools: readonly ApiScrapePool[]): string[] {
  const names = [...targets.map(({ pool }) => pool), ...pools.map(({ name }) => name)];
  return [...new Set(names)].sort(compareStrings);
}

function discovery(
  targets: readonly ApiTarget[],
  pools: readonly ApiScrapePool[],
  parameters: Parameters,
) {
  const state = parameters.text('state');
  const pool = parameters.text('scrapePool');
  const showActive = state === '' || state === 'any' || state === 'active';
  const active = showActive ? targets.filter(one => pool === '' || one.pool === pool) : [];
  const showDropped = state === '' || state === 'any' || state === 'dropped';
  const dropped = showDropped ? pools.filter(({ name }) => pool === '' || name === pool) : [];
  const counts = new Map(pools.map(({ name, droppedCount }) => [name, droppedCount]));
  return {
    activeTargets: active.map(targetJson),
    droppedTargets: dropped.flatMap(({ name, dropped: labels }) =>
      labels.map(one => ({ discoveredLabels: one.toObject(), scrapePool: name })),
    ),
    droppedTargetCounts: Object.fromEntries(
      poolNames(targets, pools).map(name => [name, counts.get(name) ?? 0]),
    ),
  };
}

async function gatheredTargets(source: GatheredSource, request: ApiRequest): Promise<ApiAnswer> {
  const state = request.parameters.text('state');
  const pool = request.parameters.text('scrapePool');
  const { value, warnings } = await source.targets(request);
  const active = value.active.filter(one => pool === '' || one.pool === pool);
  // What servers tell each other of dropped targets leaves out the pool.
  const dropped = pool === '' ? value.dropped : [];
  const data = {
    activeTargets: state === 'dropped' ? [] : active.map(gatheredJson),
    droppedTargets:
      state === 'active' ? [] : dropped.map(labels => ({ discoveredLabels: labels.toObject() })),
    droppedTargetCounts: {},
  };
  return { kind: 'data', data, warnings };
}

function targetJson(target: ApiTarget) {
  return {
    ...gatheredJson(target),
    scrapeInterval: formatDuration(target.intervalMs),
    scrapeTimeout: formatDuration(target.timeoutMs),
  };
}

function gatheredJson(target: GatheredTarget) {
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

function relabelling(
  names: readonly string[],
  pools: readonly ApiScrapePool[],
  parameters: Parameters,
): { steps: object[] } {
  const pool = parameters.text('scrapePool');
  if (pool === '') throw new OutpostError('bad-data', 'no scrapePool parameter provided');
  const labels = parameters.text('labels');
  if (labels === '') throw new OutpostError('bad-data', 'no labels parameter provided');
  const given = labelObject(labels);
  if (given === null) {
    throw new OutpostError('bad-data', 'error parsing labels: expected an object of strings');
  }
  if (!names.includes(pool)) {
    const text = `error retrieving scrape config: scrape pool ${JSON.stringify(pool)} not found`;
    throw new OutpostError('bad-data', text);
  }
  // Pools that do not relabel have no steps.
  const steps = pools.find(({ name }) => name === pool)?.relabelSteps(given) ?? [];
  return { steps: steps.map(stepJson) };
}

function stepJson({ rule, labels }: RelabelStep) {
  return {
    rule: {
      ...(rule.sourceLabels.length > 0 && { source_labels: rule.sourceLabels }),
      separator: rule.separator,
      regex: rule.regex,
      ...(rule.modulus > 0 && { modulus: rule.modulus }),
      ...(rule.targetLabel !== '' && { target_label: rule.targetLabel }),
      replacement: rule.replacement,
      action: rule.action,
    },
    output: labels?.toObject() ?? {},
    keep: labels !== null,
  };
}

function labelObject(text: string): Labels | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const pairs = Object.entries(value);
    return pairs.every(isTextPair) ? Labels.fromPairs(pairs) : null;
  } catch {
    return null; // no JSON
  }
}

function isTextPair(pair: [string, unknown]): pair is [string, string] {
  return typeof pair[1] === 'string';
}
