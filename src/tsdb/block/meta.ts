// A block's meta.json. Keys this file does not know (Thanos adds `thanos`) are kept as they are, at the top
// and inside `stats` and `compaction`.

import { OutpostError } from '../../lifecycle/errors.ts';
import { isUlid } from './ulid.ts';

/** File name inside a block's directory. */
export const META_FILE = 'meta.json';

/** Hint of blocks whose samples came out of order, so that they may overlap others. */
export const OUT_OF_ORDER_HINT = 'from-out-of-order';

/** True for a block of out-of-order samples alone: it says nothing of how far samples in order go. */
export function isOutOfOrder({ compaction }: BlockMeta): boolean {
  return compaction.hints.includes(OUT_OF_ORDER_HINT);
}

/** Counts of what a block holds. */
export interface BlockStats {
  readonly numSamples: number;
  readonly numFloatSamples: number;
  readonly numHistogramSamples: number;
  readonly numSeries: number;
  readonly numChunks: number;
  readonly numTombstones: number;
}

/** A block another one was made from. */
export interface BlockParent {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
}

/** Where a block comes from. */
export interface BlockCompaction {
  /** 1 for a block cut from a head, one more than its parents' highest after that. */
  readonly level: number;
  /** Level-1 blocks it goes back to, sorted. */
  readonly sources: readonly string[];
  readonly parents: readonly BlockParent[];
  /** Upstream's remarks, for instance `from-out-of-order`. */
  readonly hints: readonly string[];
  /** True where compaction left nothing of it, so that it may be deleted. */
  readonly deletable: boolean;
  /** True where compacting it has failed; it is not tried again. */
  readonly failed: boolean;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** A parsed meta.json. The block covers minTime ≤ t < maxTime, Unix ms. */
export interface BlockMeta {
  readonly ulid: string;
  readonly minTime: number;
  /** Exclusive. */
  readonly maxTime: number;
  readonly stats: BlockStats;
  readonly compaction: BlockCompaction;
  /** The whole object as it was read, unknown keys included; empty for a new block. */
  readonly rest: JsonObject;
}

/** The version number of the format. */
const META_VERSION = 1;
// Prometheus 2.1 wrote 2 in blocks whose index says 1 and is format 2.
const MISTAKEN_VERSION = 2;

const NO_STATS: BlockStats = {
  numSamples: 0,
  numFloatSamples: 0,
  numHistogramSamples: 0,
  numSeries: 0,
  numChunks: 0,
  numTombstones: 0,
};

/** Parses meta.json; `file` is for error texts. Throws `corrupt`. */
export function parseMeta(text: string, file: string): BlockMeta {
  const fail = (what: string): OutpostError =>
    new OutpostError('corrupt', `block meta ${what}: ${file}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw fail('is not JSON');
  }
  if (!isObject(parsed)) throw fail('is not an object');
  const { version, ulid, minTime, maxTime } = parsed;
  if (version !== META_VERSION && version !== MISTAKEN_VERSION) {
    throw fail(`has the unknown version ${JSON.stringify(version)}`);
  }
  if (typeof ulid !== 'string' || !isUlid(ulid)) throw fail('has no valid ulid');
  if (!isTime(minTime) || !isTime(maxTime) || minTime > maxTime) throw fail('has no time range');
  const compaction = isObject(parsed.compaction) ? parsed.compaction : {};
  return {
    ulid,
    minTime,
    maxTime,
    stats: parseStats(parsed.stats),
    compaction: {
      level: isTime(compaction.level) ? compaction.level : 0,
      sources: strings(compaction.sources),
      parents: list(compaction.parents).filter(isParent),
      hints: strings(compaction.hints),
      deletable: compaction.deletable === true,
      failed: compaction.failed === true,
    },
    rest: parsed,
  };
}

/** True where the index is format 2 although its version byte says 1. */
export function hasMistakenIndexVersion(meta: BlockMeta): boolean {
  return meta.rest.version === MISTAKEN_VERSION;
}

/** The bytes of meta.json: tabs, zeros and empty lists left out, unknown keys kept. */
export function serialiseMeta(meta: BlockMeta): string {
  const { ulid, minTime, maxTime, stats, compaction, rest } = meta;
  const object = {
    ulid,
    minTime,
    maxTime,
    stats: { ...unknownOf(rest.stats, stats), ...filled(stats) },
    compaction: { ...unknownOf(rest.compaction, compaction), ...filled(compaction) },
    version: META_VERSION,
  };
  return `${JSON.stringify({ ...object, ...unknownOf(rest, object) }, null, '\t')}\n`;
}

function parseStats(value: unknown): BlockStats {
  if (!isObject(value)) return NO_STATS;
  const stats = { ...NO_STATS };
  for (const key of Object.keys(NO_STATS) as (keyof BlockStats)[]) {
    const count = value[key];
    if (isTime(count) && count >= 0) stats[key] = count;
  }
  return stats;
}

/** The keys of `value` that `known` does not have. */
function unknownOf(value: unknown, known: object): JsonObject {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([key]) => !(key in known)));
}

function filled(object: object): JsonObject {
  const isEmpty = (value: unknown): boolean =>
    value === 0 || value === false || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value)));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function strings(value: unknown): readonly string[] {
  return list(value).filter(item => typeof item === 'string');
}

function isParent(value: unknown): value is BlockParent {
  return (
    isObject(value) &&
    typeof value.ulid === 'string' &&
    isTime(value.minTime) &&
    isTime(value.maxTime)
  );
}
