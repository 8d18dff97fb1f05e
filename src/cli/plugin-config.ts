// What the configuration says of one plugin's process, as a schema and as the plugin host takes it.

import Type, { type Static } from 'typebox';
import type { PluginLimits, PluginSpec } from '../../plugins/host/plugin-spec.ts';
import { parseSize } from '../encoding/units.ts';
import { closed, Size } from './config-values.ts';

const Limits = Type.Object(
  {
    memory: Type.Optional(
      Size('Memory of its processes; it is started again beyond. Default 512MiB.'),
    ),
    cpu: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'Cores its processes may keep busy; beyond, it is collected from less often, then started again. Default 1.',
      }),
    ),
    processes: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Processes and threads, where cgroups are delegated to the agent. Default 512.',
      }),
    ),
    samples_per_second: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Samples taken. Default 200000.' }),
    ),
    new_series_per_minute: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Series that may begin, once max_series have. Default 20000.',
      }),
    ),
    events_per_minute: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Events taken. Default 1000.' }),
    ),
    label_value_length: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Longest value of a label. Default 4096.' }),
    ),
    answer_size: Type.Optional(
      Size('Largest answer to one collection; a larger one is missed. Default 64MiB.'),
    ),
  },
  { ...closed, description: 'What the plugin may take.' },
);

/** Keys of a plugin beside those that say what it collects. */
export const processSettings = {
  env: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Added to its environment, which is nearly empty.',
    }),
  ),
  sha256: Type.Optional(
    Type.String({
      pattern: '^[0-9a-fA-F]{64}$',
      description: 'Digest the executable must have; checked before each start.',
      examples: ['the 64 digits that sha256sum prints'],
    }),
  ),
  verify: Type.Optional(
    Type.Union([Type.Literal('refuse'), Type.Literal('warn')], {
      description:
        'What happens where others than root and the agent could change the executable. Default refuse for root, warn for others.',
      examples: ['refuse', 'warn'],
    }),
  ),
  user: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'User it runs as, where the agent is root. Default the agent’s.',
    }),
  ),
  capabilities: Type.Optional(
    Type.Array(Type.String({ pattern: '^[a-z][a-z_]*$', examples: ['sys_rawio'] }), {
      description: 'Capabilities it keeps as that user. Default none.',
    }),
  ),
  auto_mtls: Type.Optional(
    Type.Boolean({
      description:
        'Whether agent and plugin prove to each other who they are (go-plugin\u2019s AutoMTLS). Default true; a plugin that does not speak TLS needs false.',
    }),
  ),
  limits: Type.Optional(Limits),
};

const ProcessSettings = Type.Object(processSettings);

/** The part of a specification that `processSettings` decide; empty where nothing is set. */
export function processSpec(
  settings: Static<typeof ProcessSettings>,
): Pick<PluginSpec, 'env' | 'sha256' | 'verify' | 'user' | 'capabilities' | 'limits' | 'autoMtls'> {
  const { env, sha256, verify, user, capabilities, limits, auto_mtls } = settings;
  return {
    ...(env && { env }),
    ...(sha256 !== undefined && { sha256 }),
    ...(verify && { verify }),
    ...(user !== undefined && { user }),
    ...(capabilities && { capabilities }),
    ...(auto_mtls !== undefined && { autoMtls: auto_mtls }),
    ...(limits && { limits: pluginLimits(limits) }),
  };
}

function pluginLimits(limits: Static<typeof Limits>): Partial<PluginLimits> {
  const sized = (size: string | 0 | undefined): number | undefined =>
    size === undefined ? undefined : parseSize(String(size)) || Infinity;
  const all = {
    memoryBytes: sized(limits.memory),
    cpuCores: limits.cpu,
    pids: limits.processes,
    samplesPerSecond: limits.samples_per_second,
    newSeriesPerMinute: limits.new_series_per_minute,
    eventsPerMinute: limits.events_per_minute,
    labelValueLength: limits.label_value_length,
    answerBytes: sized(limits.answer_size),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
