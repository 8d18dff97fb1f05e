// Answers of /api/v1/status/{flags,config,runtimeinfo}: what only the process knows.

import { hostname } from 'node:os';
import type { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { formatDuration } from '../encoding/units.ts';
import type { ApiOptions } from '../httpapi/options.ts';
import { type Address, hostPort } from './flags.ts';
import type { ProcessContext } from './process.ts';
import { withoutSecrets } from './redact.ts';

/** Where the configuration stands in a mode that can reload it. */
export interface ReloadState {
  /** As it was read last without mistakes. */
  config(): object;
  /** Whether the last reading had none. */
  readonly succeeded: boolean;
  /** Unix ms of the last reading without mistakes. */
  readonly time: number;
}

/** The pages of a mode: its flags as they took effect, its file as it was read. */
export function runtimeStatus(
  config: object,
  context: ProcessContext,
  reload?: ReloadState,
): ApiOptions['status'] {
  const flags = context.shownFlags ?? {};
  const yaml = (): string => {
    const shown = reload?.config() ?? config;
    return Object.keys(shown).length === 0 ? '' : stringify(withoutSecrets(shown));
  };
  return {
    flags: () => flags,
    config: () => ({ yaml: yaml() }),
    runtimeinfo: () => ({
      startTime: new Date(context.startTime).toISOString(),
      serverTime: new Date(context.clock.now()).toISOString(),
      CWD: process.cwd(),
      hostname: hostname(),
      reloadConfigSuccess: reload?.succeeded ?? true,
      lastConfigTime: new Date(reload?.time ?? context.startTime).toISOString(),
      nodeVersion: process.version,
    }),
  };
}

/** Every flag as a user would write it, without the dashes; '' where it has no value. */
export function shownFlags(command: Command): Record<string, string> {
  return Object.fromEntries(
    command.options.map(option => [
      option.long!.slice(2),
      shownValue(option, command.getOptionValue(option.attributeName())),
    ]),
  );
}

function shownValue(option: Option, value: unknown): string {
  if (value === undefined)
    return option.defaultValueDescription ?? (option.required ? '' : 'false');
  // `--no-plugins` is an option whose value is true where it was not given.
  if (option.negate) return String(value === false);
  if (typeof value === 'number' && option.flags.endsWith('<duration>'))
    return formatDuration(value);
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('port' in value) return hostPort(value as Address);
  return Object.entries(value)
    .map(([name, text]) => `${name}=${text}`)
    .join(',');
}
