// The sets of collectors that come with the agent. Each is loaded only where it is asked for.

import type { Plugin } from '../sdk/runtime.ts';

/** Every set by its name in the configuration. */
export const SETS = {
  os: async () => (await import('../os/plugin.ts')).osPlugin,
  hardware: async () => (await import('../hardware/plugin.ts')).hardwarePlugin,
} as const satisfies Readonly<Record<string, () => Promise<Plugin>>>;

export type SetName = keyof typeof SETS;

/** Whether there is a set of this name. */
export function isSet(name: string): name is SetName {
  return Object.hasOwn(SETS, name);
}
