// Names beyond the legacy character set: quoted in the text formats where the reader takes UTF-8, else
// rewritten by the scheme it asked for. Behaviour follows prometheus/common's model package, which differs
// from the published document in two places (lower-case hex; `__` for foreign characters under dots).

import { isLegacyLabelName, isLegacyMetricName } from '../labels/validate.ts';

/** How a name outside the legacy character set is written for a reader. */
export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

/** All schemes, by the names of the `escaping` parameter. */
export const ESCAPING_SCHEMES: readonly EscapingScheme[] = [
  'allow-utf-8',
  'underscores',
  'dots',
  'values',
];

const VALUES_PREFIX = 'U__';

/** Rewrites a metric or label name under a scheme; `allow-utf-8` leaves it alone. */
export function escapeName(name: string, scheme: EscapingScheme): string {
  if (name === '' || scheme === 'allow-utf-8') return name;
  // Dots has no early way out: it doubles underscores of legacy names too.
  if (scheme !== 'dots' && isLegacyMetricName(name)) return name;
  let escaped = scheme === 'values' ? VALUES_PREFIX : '';
  let first = true;
  for (const char of name) {
    escaped += escapeChar(char, scheme, first);
    first = false;
  }
  return escaped;
}

function escapeChar(char: string, scheme: EscapingScheme, first: boolean): string {
  const legacy = /^[a-zA-Z_:]$/.test(char) || (!first && /^[0-9]$/.test(char));
  if (scheme === 'underscores') return legacy ? char : '_';
  if (char === '_') return '__';
  if (scheme === 'dots' && char === '.') return '_dot_';
  if (legacy) return char;
  return scheme === 'dots' ? '__' : `_${char.codePointAt(0)!.toString(16)}_`;
}

/** Reads a name written under `values`. A name without the prefix, or a damaged one, comes back as it is. */
export function unescapeName(name: string): string {
  if (!name.startsWith(VALUES_PREFIX)) return name;
  let unescaped = '';
  for (let i = VALUES_PREFIX.length; i < name.length; i++) {
    if (name[i] !== '_') {
      unescaped += name[i];
      continue;
    }
    if (name[i + 1] === '_') {
      unescaped += '_';
      i++;
      continue;
    }
    const end = name.indexOf('_', i + 1);
    const char = end < 0 ? null : charOfHex(name.slice(i + 1, end));
    if (char === null) return name;
    unescaped += char;
    i = end;
  }
  return unescaped;
}

function charOfHex(hex: string): string | null {
  if (!/^[0-9a-fA-F]{1,6}$/.test(hex)) return null;
  const code = Number.parseInt(hex, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
  return String.fromCodePoint(code);
}

/** A label value between quotes: backslash, quote and newline are escaped. */
export function escapeValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, escapeOne) : value;
}

/** Help text of text 0.0.4: backslash and newline are escaped. */
export function escapeHelp(help: string): string {
  return /[\\\n]/.test(help) ? help.replace(/[\\\n]/g, escapeOne) : help;
}

function escapeOne(char: string): string {
  return char === '\n' ? '\\n' : `\\${char}`;
}

/** A metric name as it stands in a `# TYPE` line: quoted where it is not legacy. */
export function metricNameText(name: string): string {
  return isLegacyMetricName(name) ? name : `"${escapeValue(name)}"`;
}

/** A label name as it stands between braces: quoted where it is not legacy. */
export function labelNameText(name: string): string {
  return isLegacyLabelName(name) ? name : `"${escapeValue(name)}"`;
}
