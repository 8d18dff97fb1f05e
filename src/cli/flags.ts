// Flag values shared by the modes. A wrong value is answered with what was expected and an example.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration, parseSize } from '../encoding/units.ts';
import { compileAnchored } from '../labels/regex.ts';
import { isLegacyLabelName } from '../labels/validate.ts';

/** A listening address taken apart; port 0 asks the system for a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A shorter interval would find the collection before it still running. */
export const COLLECT_INTERVAL_MIN_MS = 100;

/** Milliseconds of `15s`, `1h30m`. */
export function durationFlag(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('Expected a duration such as 15s, 5m or 1h30m.');
  return ms;
}

/** As `durationFlag`, and more than zero. */
export function positiveDurationFlag(text: string): number {
  const ms = durationFlag(text);
  if (ms === 0) throw new InvalidArgumentError('Expected a duration longer than zero.');
  return ms;
}

/** As `durationFlag`, and no shorter than a collection takes. */
export function intervalFlag(text: string): number {
  const ms = durationFlag(text);
  if (ms < COLLECT_INTERVAL_MIN_MS) {
    const least = formatDuration(COLLECT_INTERVAL_MIN_MS);
    throw new InvalidArgumentError(`Expected a duration of ${least} or more, such as 15s.`);
  }
  return ms;
}

/** Bytes of `512MB`, `10GiB`; 0 is no limit. */
export function sizeFlag(text: string): number {
  const bytes = parseSize(text);
  if (bytes === null) throw new InvalidArgumentError('Expected a size such as 512MB or 10GB.');
  return bytes;
}

/** As `sizeFlag`, and more than zero. */
export function positiveSizeFlag(text: string): number {
  const bytes = sizeFlag(text);
  if (bytes === 0) throw new InvalidArgumentError('Expected a size of more than zero.');
  return bytes;
}

/** A whole number of one or more. */
export function countFlag(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('Expected a whole number of 1 or more.');
  }
  return count;
}

/** `127.0.0.1:9190`, `[::1]:9190`, `:9190` (every address). */
export function addressFlag(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new InvalidArgumentError('Expected host:port such as 127.0.0.1:9190.');
  }
  return { host: (match[1] ?? match[2]) || '0.0.0.0', port };
}

/** Collects repeated `name=value` labels. */
export function labelFlag(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  const value = text.slice(at + 1).replace(/^"(.*)"$/, '$1');
  if (at < 1 || !isLegacyLabelName(name) || name.startsWith('__') || value === '') {
    throw new InvalidArgumentError(
      'Expected name=value such as cluster=eu1; names are letters, digits and _.',
    );
  }
  return { ...previous, [name]: value };
}

/** Collects a repeated flag whose values may also be comma-separated. */
export function listFlag(text: string, previous: readonly string[] = []): string[] {
  return [
    ...previous,
    ...text
      .split(',')
      .map(part => part.trim())
      .filter(Boolean),
  ];
}

/** An RE2 pattern, returned as it is. */
export function regexFlag(text: string): string {
  try {
    compileAnchored(text);
  } catch {
    throw new InvalidArgumentError('Expected a regular expression such as https://grafana.*');
  }
  return text;
}

/** A path or name that is not empty. */
export function textFlag(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected more than an empty text.');
  return text;
}

/** True where only this host can connect. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** `host:port` as a URL needs it. */
export function hostPort({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A flag with a default, which is read and shown as a user writes it. */
export function option<Value>(
  flags: string,
  description: string,
  { parse, default: text }: { parse: (text: string) => Value; default: string },
): Option {
  return new Option(flags, description).argParser(parse).default(parse(text), text);
}

/** As `option`, for what a configuration file may set: undefined where the flag is not given. */
export function fileOption<Value>(
  flags: string,
  description: string,
  { parse, default: text }: { parse: (text: string) => Value; default: string },
): Option {
  return new Option(flags, description).argParser(parse).default(undefined, text);
}

/** Adds the flags every mode has. */
export function withLogFlags(command: Command): Command {
  return command
    .optionsGroup('Log:')
    .addOption(
      new Option('--log.level <level>', 'least severe messages to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info', 'info'),
    )
    .addOption(
      new Option('--log.format <format>', 'form of log lines')
        .choices(['logfmt', 'json'])
        .default('logfmt', 'logfmt'),
    );
}
