// Plugins that are installed by being there: each folder below `--plugins.dir` has a manifest that says what
// to start. What the configuration file says of a plugin by the same name wins, key by key.

import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import Type from 'typebox';
import { ownershipProblem } from '../../plugins/host/verify.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';
import { type AgentConfig, pluginSettings } from './agent-config.ts';
import { readConfigFile } from './config-file.ts';
import { closed } from './config-values.ts';

const MANIFEST = /^plugin\.ya?ml$/;
const YAML = /\.ya?ml$/;
const { command: _, ...settings } = pluginSettings;

/** Schema of a manifest; `npm run schemas` writes it to config/plugin.schema.json. */
export const PluginManifestSchema = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-zA-Z][a-zA-Z0-9_-]*$',
      description: 'The plugin\u2019s name here.',
      examples: ['backups'],
    }),
    version: Type.Optional(Type.String({ description: 'For people.' })),
    exec: Type.String({
      minLength: 1,
      description: 'The executable; a path is taken from the manifest\u2019s folder.',
    }),
    args: Type.Optional(Type.Array(Type.String(), { description: 'Its arguments.' })),
    ...settings,
  },
  { ...closed, $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'outpost plugin' },
);

type PluginConfigs = NonNullable<AgentConfig['plugins']>;

/** The configuration with the plugins of a directory. Throws `bad-data` naming the manifest. */
export function withManifests(config: AgentConfig, directory: string | undefined): AgentConfig {
  if (directory === undefined) return config;
  const found: PluginConfigs = {};
  const from = new Map<string, string>();
  for (const path of manifestPaths(directory)) {
    const [name, plugin] = readManifest(path);
    const other = from.get(name);
    if (other !== undefined) {
      throw new OutpostError('bad-data', `${path}: there is a plugin "${name}" already: ${other}`);
    }
    from.set(name, path);
    found[name] = { ...plugin, ...config.plugins?.[name] };
  }
  return { ...config, plugins: { ...config.plugins, ...found } };
}

/** `<directory>/*.yaml` and `<directory>/<folder>/plugin.yaml`, sorted. Throws `bad-data`. */
export function manifestPaths(directory: string): string[] {
  try {
    return readdirSync(directory)
      .sort()
      .flatMap(name => {
        const path = join(directory, name);
        if (YAML.test(name)) return [path];
        if (!lstatSync(path).isDirectory()) return [];
        return readdirSync(path)
          .filter(file => MANIFEST.test(file))
          .map(file => join(path, file));
      });
  } catch (cause) {
    const message = `read --plugins.dir ${directory}: ${systemReason(cause)}`;
    throw new OutpostError('bad-data', message, { cause });
  }
}

function readManifest(path: string): [string, PluginConfigs[string]] {
  // Whoever can write a manifest decides what a root agent executes.
  const uid = process.getuid?.() ?? 0;
  const problem = uid === 0 ? ownershipProblem(realpathSync(path), uid) : null;
  if (problem !== null) throw new OutpostError('bad-data', `${path}: ${problem}`);
  const manifest = readConfigFile(path, PluginManifestSchema);
  const { name, version: __, exec, args = [], ...plugin } = manifest;
  const command = exec.includes('/') ? resolve(dirname(path), exec) : exec;
  return [name, { ...plugin, command: [command, ...args] }];
}
