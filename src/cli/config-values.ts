// Kinds of values that configuration files share, as schemas. `examples` are shown where a value is wrong.

import Type from 'typebox';

/** Objects that know all their keys. */
export const closed = { additionalProperties: false };

const DURATION = '([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?';

/** `15s`, `1h30m`; 0 is one too. */
export function Duration(description: string) {
  return Type.String({
    description,
    pattern: `^(0|(?=.)${DURATION})$`,
    examples: ['15s', '1h30m'],
  });
}

/** A duration that is longer than zero. */
export function PositiveDuration(description: string) {
  const pattern = `^(?=.*[1-9])${DURATION}$`;
  return Type.String({ description, pattern, examples: ['15s', '1h30m'] });
}

/** `global.query_log_file`. */
export const QueryLogPath = Type.String({
  description:
    'File that takes a JSON line for each query; a relative path begins at this file. The flag --query.log-file wins.',
});

/** `512MB`, `10GiB`; 0 is no limit. */
export function Size(description: string) {
  const pattern = '^(0|[0-9]+(\\.[0-9]+)?(B|[KMGTPE]B|[KMGT]iB))$';
  const text = Type.String({ pattern });
  return Type.Union([Type.Literal(0), text], { description, examples: ['512MB', '10GiB', 0] });
}

/** Label names and values; names with two leading underscores are Prometheus' own. */
export function LabelSet(description: string) {
  const name = Type.String({ pattern: '^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$' });
  const value = Type.String({ minLength: 1, examples: ['eu1'] });
  return Type.Record(name, value, { description, examples: ['cluster: eu1'], ...closed });
}
