// What a plugin says about itself, from what its author declared.

import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { type EventDeclaration, SEVERITY_NUMBERS } from './events.ts';
import type { PluginFunction } from './features.ts';
import { optionsSchema } from './options.ts';
import type { Plugin } from './runtime.ts';

const { ACCESS_ADMIN, ACCESS_PUBLIC } = outpost.plugin.v1.FunctionDescription.Access;

/** The answer to Describe. */
export function description(plugin: Plugin): outpost.plugin.v1.DescribeResponse.$Properties {
  const { name, version, vendor = '', homepage = '', collectors } = plugin;
  const { functions = [], events: own } = plugin;
  const events = [...(own?.declares ?? []), ...collectors.flatMap(each => each.events)];
  return {
    name,
    version,
    vendor,
    homepage,
    collectors: collectors.map(collector => ({
      name: collector.name,
      help: collector.help,
      defaultEnabled: collector.defaultEnabled,
      optionsSchema: JSON.stringify(optionsSchema(collector.options)),
      instances: collector.instances,
      capabilities: [...collector.capabilities],
      intervalMs: collector.intervalMs,
    })),
    events: events.map(describeEvent),
    functions: functions.map(describeFunction),
    features: [
      'probe',
      'validate',
      ...(events.length > 0 || own ? ['stream_events'] : []),
      ...(plugin.inventory ? ['inventory'] : []),
      ...(functions.length > 0 ? ['call'] : []),
      ...(plugin.capture ? ['capture'] : []),
    ],
  };
}

function describeEvent(event: EventDeclaration): outpost.plugin.v1.EventDescription.$Properties {
  const { name, help, severity, condition = '', clears = '' } = event;
  return { name, help, severity: SEVERITY_NUMBERS[severity], condition, clears };
}

function describeFunction(
  declared: PluginFunction,
): outpost.plugin.v1.FunctionDescription.$Properties {
  const { name, help, access, args } = declared;
  return {
    name,
    help,
    argsSchema: JSON.stringify(optionsSchema(args)),
    access: access === 'admin' ? ACCESS_ADMIN : ACCESS_PUBLIC,
  };
}
