// A plugin's own description as a page of documentation.

import type { Description } from '../../../plugins/host/connection.ts';
import { formatDuration } from '../../encoding/units.ts';

const SEVERITIES = [
  [21, 'fatal'],
  [17, 'error'],
  [13, 'warning'],
  [9, 'information'],
  [0, 'debug'],
] as const;
/** FunctionDescription.Access of the interface. */
const ADMIN = 2;

/** The page, in Markdown. */
export function describePage(description: Description): string {
  const { name, version, vendor, homepage, events, functions, features } = description;
  const by = vendor ? `, by ${vendor}` : '';
  const home = homepage ? `\n\n<${homepage}>` : '';
  const parts = [
    `# Plugin ${name}\n\nVersion ${version}${by}${by.endsWith('.') ? '' : '.'}${home}`,
    ...description.collectors.map(collectorPart),
    ...(events.length === 0 ? [] : [eventsPart(events)]),
    ...(functions.length === 0 ? [] : ['## Functions', ...functions.map(functionPart)]),
    ...(features.length === 0 ? [] : [`Serves beside collections: ${features.join(', ')}.`]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function collectorPart(collector: Description['collectors'][number]): string {
  const { name, help, defaultEnabled, instances, capabilities, intervalMs, optionsSchema } =
    collector;
  const facts = [
    defaultEnabled ? 'Runs unless it is switched off.' : 'Does not run unless it is switched on.',
    ...(intervalMs ? [`Reads every ${formatDuration(intervalMs)} and repeats its values.`] : []),
    ...(instances ? ['May be there several times, as instances.'] : []),
    ...(capabilities?.length ? [`Needs ${capabilities.join(', ')}.`] : []),
  ];
  return [`## ${name}`, help, facts.join(' '), optionsTable(optionsSchema ?? '', 'Option')]
    .filter(Boolean)
    .join('\n\n');
}

function eventsPart(events: Description['events']): string {
  const rows = events.map(event => {
    const { name, help, severity, condition, clears } = event;
    const level = SEVERITIES.find(([least]) => (severity ?? 0) >= least)?.[1] ?? '';
    const change = condition ? `${condition}${clears ? `; ends: ${clears}` : ''}` : '';
    return `| \`${name}\` | ${level} | ${cell(help)} | ${cell(change)} |`;
  });
  const head = ['| Event | Severity | | Condition |', '|---|---|---|---|'];
  return ['## Events', [...head, ...rows].join('\n')].join('\n\n');
}

function functionPart(one: Description['functions'][number]): string {
  const { name, help, access, argsSchema } = one;
  const who = access === ADMIN ? 'For administrators.' : 'For everybody who may query.';
  return [`### ${name}`, `${help} ${who}`, optionsTable(argsSchema ?? '', 'Argument')]
    .filter(Boolean)
    .join('\n\n');
}

/** The properties of a JSON Schema; '' where it has none. */
function optionsTable(schema: string, title: string): string {
  const rows = propertiesOf(schema).map(([name, property]) => {
    const { type, default: fallback, description } = property;
    const value = fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``;
    return `| \`${name}\` | ${cell(type)} | ${value} | ${cell(description)} |`;
  });
  if (rows.length === 0) return '';
  return [`| ${title} | Type | Default | |`, '|---|---|---|---|', ...rows].join('\n');
}

function propertiesOf(schema: string): [string, Record<string, unknown>][] {
  try {
    const { properties } = JSON.parse(schema) as { properties?: Record<string, unknown> };
    return Object.entries(properties ?? {}).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null ? { ...value } : {},
    ]);
  } catch {
    return [];
  }
}

function cell(value: unknown): string {
  return value == null ? '' : String(value).replace(/\|/g, '\\|').replace(/\s+/g, ' ');
}
