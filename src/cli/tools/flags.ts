// Flag values of the tools.

import { type Command, InvalidArgumentError } from 'commander';
import type { Matcher } from '../../labels/matcher.ts';
import { parseSelector } from '../../promql/parser.ts';

/** Where samples are kept unless told otherwise, as in the agent. */
export const DATA_DIR_DEFAULT = './data';

/** Unix ms, or a date such as 2026-01-31T00:00:00Z; beyond what a date can be it is no bound. */
export function timeFlag(text: string): number {
  if (/^-?\d+$/.test(text)) {
    const ms = Number(text);
    return Number.isSafeInteger(ms) ? ms : Math.sign(ms) * Number.POSITIVE_INFINITY;
  }
  const ms = DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError('Expected Unix milliseconds or a date: 2026-01-31T00:00:00Z.');
  }
  return ms;
}

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Collects repeated series selectors: `up{job="x"}`. */
export function selectorFlag(
  text: string,
  previous: readonly (readonly Matcher[])[] = [],
): (readonly Matcher[])[] {
  try {
    return [...previous, parseSelector(text).matchers];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidArgumentError(`Expected a selector such as up{job="x"}: ${reason}`);
  }
}

/** Collects repeated headers: `X-Scope-OrgID: team-a`. */
export function headerFlag(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf(':');
  if (at < 1) throw new InvalidArgumentError('Expected name:value such as X-Scope-OrgID: team-a.');
  return { ...previous, [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
}

/** Adds the flags every tool has. */
export function withToolFlags(command: Command): Command {
  return command.option('-q, --quiet', 'show no progress');
}
