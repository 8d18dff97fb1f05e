// What an operator says about one plugin, already checked, and what of it a running process can take.

import { isDeepStrictEqual } from 'node:util';
import type { CollectorConfig } from '../sdk/configuration.ts';

/** What a plugin may take; each has a default in `PLUGIN_LIMITS`. */
export interface PluginLimits {
  /** Series at once; new ones beyond are refused, known ones stay. */
  readonly seriesMax: number;
  /** Series that may begin within a minute, once the first `seriesMax` have. */
  readonly newSeriesPerMinute: number;
  readonly samplesPerSecond: number;
  readonly eventsPerMinute: number;
  /** UTF-16 units of one label's value. */
  readonly labelValueLength: number;
  /** Bytes of the answer to one collection. */
  readonly answerBytes: number;
  /** Resident bytes of the process and its children. */
  readonly memoryBytes: number;
  /** Cores that the process and its children may keep busy. */
  readonly cpuCores: number;
  /** Processes and threads; held by cgroups only. */
  readonly pids: number;
}

/** What a plugin may take unless its specification says otherwise. */
export const PLUGIN_LIMITS: PluginLimits = {
  seriesMax: 100_000,
  newSeriesPerMinute: 20_000,
  samplesPerSecond: 200_000,
  eventsPerMinute: 1_000,
  labelValueLength: 4096,
  answerBytes: 64 * 1024 * 1024,
  memoryBytes: 512 * 1024 * 1024,
  cpuCores: 1,
  pids: 512,
};

/** One plugin process. */
export interface PluginSpec {
  /** The plugin's name here; the value of the label "plugin" in the host's own metrics. */
  readonly name: string;
  /** The executable: a path, or a name that is looked for in PATH. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to the plugin's otherwise nearly empty environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Collectors that differ from the plugin's defaults. */
  readonly collectors?: Readonly<Record<string, CollectorConfig>>;
  /** Where the host's system is mounted, for an agent in a container. */
  readonly roots?: {
    readonly procfs?: string;
    readonly sysfs?: string;
    readonly rootfs?: string;
    readonly udev?: string;
  };
  /** Series the plugin may have at once; short for `limits.seriesMax`. */
  readonly seriesMax?: number;
  readonly limits?: Partial<PluginLimits>;
  /** Digest the executable must have, in hexadecimal. */
  readonly sha256?: string;
  /** What happens where others than root and the agent could change the executable; see verify.ts. */
  readonly verify?: 'refuse' | 'warn';
  /** Part of the agent's own installation: nobody could change it who could not change the agent. */
  readonly builtIn?: boolean;
  /** Whether both sides prove who they are by TLS; true unless it is said otherwise. */
  readonly autoMtls?: boolean;
  /** User the plugin runs as, where the agent is root. */
  readonly user?: string;
  /** Capabilities it keeps, as in "sys_rawio"; only with `user`. */
  readonly capabilities?: readonly string[];
}

/** The limits of a plugin, defaults included. */
export function limitsOf({ limits, seriesMax }: PluginSpec): PluginLimits {
  return { ...PLUGIN_LIMITS, ...(seriesMax !== undefined && { seriesMax }), ...limits };
}

/** What has to be done so that a plugin of `before` is one of `after`. */
export type SpecChange = 'none' | 'configure' | 'restart';

/** Collectors and their options change within a process; all else needs another one. */
export function specChange(before: PluginSpec, after: PluginSpec): SpecChange {
  if (isDeepStrictEqual(before, after)) return 'none';
  const { collectors: _, ...processBefore } = before;
  const { collectors: __, ...processAfter } = after;
  return isDeepStrictEqual(processBefore, processAfter) ? 'configure' : 'restart';
}
