// A plugin as it is shown: to metrics, and to whoever asks the agent about it.

import type { CollectionLoop } from './collection-loop.ts';
import type { Description } from './connection.ts';
import type { PluginLimits, PluginSpec } from './plugin-spec.ts';
import type { PluginState } from './plugin-state.ts';
import type { SeriesIntake } from './series-intake.ts';

/** One collector's last run. */
export interface CollectorStatus {
  readonly name: string;
  readonly enabled: boolean;
  /** 'no data' where the host has nothing for it; 'unknown' before its first run. */
  readonly outcome: 'ok' | 'failed' | 'no data' | 'unknown' | 'off';
  /** '' unless it failed. */
  readonly error: string;
  /** What the run took, seconds; null where the plugin does not say. */
  readonly durationSeconds: number | null;
  /** CPU time of its runs in all, each up to where it first waited; null where the plugin does not say. */
  readonly cpuSeconds: number | null;
}

/** One plugin. */
export interface PluginStatus {
  readonly name: string;
  readonly state: PluginState;
  /** When it came into the state, Unix ms. */
  readonly since: number;
  /** Null without a process. */
  readonly pid: number | null;
  /** '' before the plugin first described itself. */
  readonly version: string;
  readonly command: readonly string[];
  readonly restarts: number;
  /** The newest trouble; '' where there was none. */
  readonly lastError: string;
  readonly seriesCount: number;
  /** Of its process and what is below it, when they were last looked at. */
  readonly memoryBytes: number;
  readonly cpuCores: number;
  readonly cpuSeconds: number;
  /** How many times less often it is collected from, for it uses too much CPU. */
  readonly stretch: number;
  readonly limits: PluginLimits;
  /** In the plugin's order. Costs a little, so it is a call. */
  collectors(): readonly CollectorStatus[];
}

/** What of a life tells about its collectors. */
export interface CollectorsSource {
  readonly description: Description | null;
  readonly loop: CollectionLoop | null;
  readonly intake: SeriesIntake | null;
}

/** Metrics in which plugins made with the SDK say how each collector fared. */
const DURATION = 'node_scrape_collector_duration_seconds';
const CPU = 'node_scrape_collector_cpu_seconds_total';
const SUCCESS = 'node_scrape_collector_success';

/** The collectors of a plugin; none where it has not described itself. */
export function collectorStatuses(
  { collectors = {} }: PluginSpec,
  life: CollectorsSource | null,
): readonly CollectorStatus[] {
  const failures = life?.loop?.failures ?? new Map<string, string>();
  const durations = life?.intake?.latest(DURATION, 'collector') ?? new Map<string, number>();
  const cpu = life?.intake?.latest(CPU, 'collector') ?? new Map<string, number>();
  const successes = life?.intake?.latest(SUCCESS, 'collector') ?? new Map<string, number>();
  return (life?.description?.collectors ?? []).map(({ name = '', defaultEnabled = false }) => {
    const id = name ?? '';
    const enabled = collectors[id]?.enabled ?? defaultEnabled ?? false;
    const error = failures.get(id) ?? '';
    return {
      name: id,
      enabled,
      outcome: outcomeOf(enabled, error, successes.get(id)),
      error,
      durationSeconds: durations.get(id) ?? null,
      cpuSeconds: cpu.get(id) ?? null,
    };
  });
}

function outcomeOf(
  enabled: boolean,
  error: string,
  success: number | undefined,
): CollectorStatus['outcome'] {
  if (!enabled) return 'off';
  if (error !== '') return 'failed';
  if (success === undefined) return 'unknown';
  return success === 1 ? 'ok' : 'no data';
}
