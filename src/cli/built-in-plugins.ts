// The sets of collectors that come with the agent: which processes they get, and whether what the
// configuration says of their collectors can be. They share one process unless something is said of the
// process of one; a Node.js process costs some 50 MiB.

import { fileURLToPath } from 'node:url';
import { isSet, SETS, type SetName } from '../../plugins/builtin/sets.ts';
import type { PluginSpec } from '../../plugins/host/plugin-spec.ts';
import { RejectedKeys } from '../../plugins/host/rejected-keys.ts';
import { planConfiguration } from '../../plugins/sdk/configuration.ts';
import { SYSTEM_ROOTS } from '../../plugins/sdk/files.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { AgentConfig } from './agent-config.ts';
import { processSpec } from './plugin-config.ts';
import { nearest } from './suggest.ts';

/** The plugin whose process the sets share. */
export const SHARED_PLUGIN = 'builtin';
/** Sets that run unless they are disabled. */
const DEFAULT_SETS: readonly SetName[] = ['os', 'hardware'];

type PluginSettings = NonNullable<AgentConfig['plugins']>[string];

/** What the configuration says of plugins, with the sets that run by themselves. */
export function withDefaultSets(
  config: AgentConfig,
): (readonly [name: string, settings: PluginSettings])[] {
  const sets: Record<string, PluginSettings> = {};
  for (const name of DEFAULT_SETS) sets[name] = {};
  return Object.entries({ ...sets, ...config.plugins }).filter(
    ([, settings]) => settings.enabled !== false,
  );
}

/** Whether the plugin is a set that shares the process of all. */
export function isShared(name: string, settings: PluginSettings): boolean {
  const { command, own_process: own, max_series: max } = settings;
  const isPlain = command === undefined && max === undefined && own !== true;
  return isSet(name) && isPlain && Object.keys(processSpec(settings)).length === 0;
}

/** The process of all sets that share one; none where there is no such set. */
export function sharedSpecs(
  sets: readonly (readonly [name: string, settings: PluginSettings])[],
): PluginSpec[] {
  if (sets.length === 0) return [];
  const names = sets.map(([name]) => name);
  const collectors = Object.assign({}, ...sets.map(([, settings]) => settings.collectors ?? {}));
  return [
    {
      name: SHARED_PLUGIN,
      ...command('builtin', names),
      builtIn: true,
      ...(Object.keys(collectors).length > 0 && { collectors }),
    },
  ];
}

/** The command line of a set with a process of its own. Throws `bad-data` for what is no set. */
export function ownCommand(name: string): Pick<PluginSpec, 'command' | 'args'> {
  if (isSet(name)) return command(name, []);
  const near = nearest(name, Object.keys(SETS));
  const meant = near ? `; did you mean "${near}"?` : '';
  const known = Object.keys(SETS).join(', ');
  throw new OutpostError(
    'bad-data',
    `plugins.${name} needs a command; built in and without one are: ${known}${meant}`,
  );
}

/** This Node.js on a main of ours, compiled or not as we are. */
function command(folder: string, args: readonly string[]): Pick<PluginSpec, 'command' | 'args'> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const main = new URL(`../../plugins/${folder}/main${extension}`, import.meta.url);
  return { command: process.execPath, args: [fileURLToPath(main), ...args] };
}

/**
 * Holds what the configuration says of the collectors of built-in sets against what they are, before
 * anything is started. Rejects with `bad-data`, with RejectedKeys as the cause. Loads a set only where
 * something is said of its collectors.
 */
export async function checkCollectors(config: AgentConfig): Promise<void> {
  for (const [name, settings] of withDefaultSets(config)) {
    const { collectors = {}, command: own } = settings;
    if (!isSet(name) || own !== undefined || Object.keys(collectors).length === 0) continue;
    const set = await SETS[name]();
    const plan = planConfiguration(set, { roots: SYSTEM_ROOTS, collectors });
    const [first] = 'problems' in plan ? plan.problems : [];
    if (first === undefined) continue;
    const keys = ['plugins', name, ...first.path.split('.')];
    const collector = keys[3]!;
    const names = set.collectors.map(each => each.name);
    const near = names.includes(collector) ? undefined : nearest(collector, names);
    const meant = near ? `; did you mean "${near}"?` : '';
    throw new OutpostError('bad-data', `${keys.join('.')} ${first.message}${meant}`, {
      cause: new RejectedKeys(keys),
    });
  }
}
