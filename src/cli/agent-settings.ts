// Flags and configuration file made into one set of settings. Flags win; labels of both are joined.

import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { AgentOptions } from '../../agent/agent.ts';
import type { PluginSpec } from '../../plugins/host/plugin-spec.ts';
import { formatDuration, parseDuration, parseSize } from '../encoding/units.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { AgentConfig } from './agent-config.ts';
import { AGENT_DEFAULTS, type AgentFlags } from './agent-flags.ts';
import { isShared, ownCommand, sharedSpecs, withDefaultSets } from './built-in-plugins.ts';
import { COLLECT_INTERVAL_MIN_MS } from './flags.ts';
import { processSpec } from './plugin-config.ts';
import { retentionPolicies } from './retention-policies.ts';
import { scrapeConfigs } from './scrape/scrape-settings.ts';

/** The part of the agent's options that flags and file decide. */
export type AgentSettings = Pick<
  AgentOptions,
  'collectIntervalMs' | 'externalLabels' | 'plugins' | 'database' | 'scrape'
>;

/** Throws `bad-data` for what the file's schema cannot know. */
export function agentSettings(flags: AgentFlags, config: AgentConfig): AgentSettings {
  const retention = config.storage?.retention;
  const seriesMax = config.storage?.series_max;
  const outOfOrder = config.storage?.tsdb?.out_of_order_time_window;
  const exemplarsMax = config.storage?.exemplars?.max_exemplars;
  const minFree = config.storage?.min_free_bytes;
  return {
    collectIntervalMs: flags.collectInterval ?? configInterval(config),
    externalLabels: externalLabels(flags, config),
    scrape: scrapeConfigs(config, {
      directory: dirname(flags['config.file'] ?? ''),
      environment: process.env,
    }),
    plugins: flags.plugins ? pluginSpecs(config) : [],
    database: {
      retentionMs:
        flags['storage.retention.time'] ??
        parseDuration(retention?.time ?? AGENT_DEFAULTS.retentionTime)!,
      retentionBytes:
        flags['storage.retention.size'] ??
        parseSize(String(retention?.size ?? AGENT_DEFAULTS.retentionSize))!,
      coldAfterMs:
        flags['storage.coldAfter'] ??
        parseDuration(config.storage?.cold_after ?? AGENT_DEFAULTS.coldAfter)!,
      snapshotOnClose: flags.snapshotOnShutdown,
      retentionPolicies: retentionPolicies(retention?.policies ?? []),
      minFreeBytes:
        flags['storage.minFreeBytes'] ??
        (minFree === undefined ? null : parseSize(String(minFree))),
      ...(seriesMax !== undefined && { seriesMax }),
      ...(outOfOrder !== undefined && { outOfOrderMs: parseDuration(outOfOrder)! }),
      ...(exemplarsMax !== undefined && { exemplarsMax }),
    },
  };
}

function configInterval(config: AgentConfig): number {
  const text = config.global?.collect_interval ?? AGENT_DEFAULTS.interval;
  const ms = parseDuration(text)!;
  if (ms >= COLLECT_INTERVAL_MIN_MS) return ms;
  const least = formatDuration(COLLECT_INTERVAL_MIN_MS);
  throw new OutpostError(
    'bad-data',
    `global.collect_interval is ${text}; it must be ${least} or more`,
  );
}

/** An agent without any external label would match every query, so it gets one that tells it apart. */
function externalLabels(flags: AgentFlags, config: AgentConfig): Labels {
  const labels = { ...config.global?.external_labels, ...flags.label };
  if (Object.keys(labels).length === 0) return Labels.fromObject({ agent: hostname() });
  return Labels.fromObject(labels);
}

function pluginSpecs(config: AgentConfig): PluginSpec[] {
  const plugins = withDefaultSets(config);
  const shared = plugins.filter(([name, settings]) => isShared(name, settings));
  const others = plugins.filter(([name, settings]) => !isShared(name, settings));
  return [
    ...sharedSpecs(shared),
    ...others.map(([name, { command, ...settings }]) => {
      const [executable, ...args] = command ?? [];
      return {
        name,
        ...(executable === undefined ? ownCommand(name) : { command: executable, args }),
        ...(settings.max_series !== undefined && { seriesMax: settings.max_series }),
        ...(settings.collectors && { collectors: settings.collectors }),
        ...processSpec(settings),
        ...(command === undefined && { builtIn: true }),
      };
    }),
  ];
}
