// Retention policies of a configuration file: their schema, and what they mean to the database.

import Type, { type Static } from 'typebox';
import { parseDuration } from '../encoding/units.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { parseSelector } from '../promql/parser.ts';
import type { RetentionPolicy } from '../tsdb/retention/retention-policy.ts';
import { closed, Duration } from './config-values.ts';

/** `storage.retention.policies`. */
export const RetentionPolicies = Type.Array(
  Type.Object(
    {
      match: Type.String({
        minLength: 1,
        description: 'Selector of the series.',
        examples: ['{__name__=~"node_cpu.*"}'],
      }),
      time: Duration('How long their samples are kept; 0 is for ever.'),
    },
    closed,
  ),
  { description: 'Other times for some series. The first policy that matches a series decides.' },
);

/** Reads the selectors. Throws `bad-data` naming the policy. */
export function retentionPolicies(
  policies: Static<typeof RetentionPolicies>,
): readonly RetentionPolicy[] {
  return policies.map(({ match, time }, i) => {
    const place = `storage.retention.policies[${i}].match`;
    try {
      return { matchers: parseSelector(match).matchers, retentionMs: parseDuration(time)! };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new OutpostError('bad-data', `${place} is ${JSON.stringify(match)}: ${reason}`, {
        cause,
      });
    }
  });
}
