// The JSON Schemas of the configuration files, which editors check YAML with, made from what the program
// checks it with.

import { AgentConfigSchema } from '../src/cli/agent-config.ts';
import { PluginManifestSchema } from '../src/cli/plugin-manifests.ts';
import { QueryConfigSchema } from '../src/cli/query-config.ts';

/** Texts of the schema files by path from the project's root. */
export function configSchemas(): Map<string, string> {
  const text = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`;
  return new Map([
    ['config/agent.schema.json', text(AgentConfigSchema)],
    ['config/plugin.schema.json', text(PluginManifestSchema)],
    ['config/query.schema.json', text(QueryConfigSchema)],
  ]);
}
