// What an operator says about one plugin, already checked.

import type { CollectorConfig } from '../sdk/runtime.ts';

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
  /** Series the plugin may have at once; new ones beyond are refused, known ones stay. */
  readonly seriesMax?: number;
}

/** Series a plugin may have unless its specification says otherwise. */
export const SERIES_MAX = 100_000;
