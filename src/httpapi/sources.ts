// What a mode can show of itself beyond its samples: targets, its store in numbers, its life. Each part is
// optional; where one is absent its paths say so.

import type { Labels } from '../labels/labels.ts';
import type { RelabelStep } from '../labels/relabel.ts';
import type { MetricMetadata } from '../storage/appender.ts';

/** Something that is collected from. */
export interface ApiTarget {
  /** What the target was made of. */
  readonly discoveredLabels: Labels;
  /** Labels of every series of it. */
  readonly labels: Labels;
  readonly pool: string;
  readonly url: string;
  /** '' where the last collection succeeded. */
  readonly lastError: string;
  /** Unix ms; 0 before the first. */
  readonly lastScrape: number;
  readonly lastScrapeMs: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Descriptions of its metrics by name. */
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
}

/** A job whose targets are found and relabelled. */
export interface ApiScrapePool {
  readonly name: string;
  /** Labels of targets that relabelling dropped; perhaps not all of them. */
  readonly dropped: readonly Labels[];
  readonly droppedCount: number;
  /** What each rule in turn makes of labels; ends with the rule that drops them. */
  relabelSteps(labels: Labels): readonly RelabelStep[];
}

/** A label statistic. */
export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

/** A head in numbers. Times are Unix ms, Infinity and −Infinity while it is empty. */
export interface StoreStatistics {
  readonly series: number;
  readonly chunks: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly labelPairs: number;
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
}

/** A block on disk. Covers minTime ≤ t < maxTime, Unix ms. */
export interface StoreBlock {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: {
    readonly numSamples: number;
    readonly numFloatSamples: number;
    readonly numHistogramSamples: number;
    readonly numSeries: number;
    readonly numChunks: number;
    readonly numTombstones: number;
  };
  readonly compaction: { readonly level: number; readonly sources: readonly string[] };
}

/** A database of the mode's own. */
export interface StoreSource {
  statistics(limit: number): Promise<StoreStatistics>;
  blocks(): readonly StoreBlock[];
}

/** A plugin, a process that collects for the agent. */
export interface ApiPlugin {
  readonly name: string;
  readonly state: string;
  /** When it came into the state, Unix ms. */
  readonly since: number;
  /** Null without a process. */
  readonly pid: number | null;
  readonly version: string;
  readonly command: readonly string[];
  readonly restarts: number;
  readonly lastError: string;
  readonly series: number;
  readonly memoryBytes: number;
  readonly cpuCores: number;
  readonly cpuSeconds: number;
  /** How many times less often it is collected from. */
  readonly stretch: number;
  readonly limits: Readonly<Record<string, number>>;
  readonly collectors: readonly {
    readonly name: string;
    readonly enabled: boolean;
    readonly outcome: string;
    readonly error: string;
    /** Of its last run; null where unknown. */
    readonly durationSeconds: number | null;
    /** CPU time of all its runs; null where unknown. */
    readonly cpuSeconds: number | null;
  }[];
}

/** The plugins of a mode that has some. */
export interface PluginSource {
  list(): readonly ApiPlugin[];
  /** Throws `not-found`. */
  restart(name: string): void;
}

/** What a process can be asked to do. */
export interface LifecycleOperations {
  /** Reads the configuration again; says what changed. Throws where nothing was changed. */
  reload(): Promise<string>;
  /** Begins to end the process. */
  quit(): void;
}
