// Events and attributes as they travel, in both directions.

import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import type { SentEvent } from './event-stream.ts';
import { type AttributeValue, SEVERITY_NUMBERS } from './events.ts';

type Attribute = outpost.plugin.v1.Attribute.$Properties;

const { STATUS_FALSE, STATUS_TRUE, STATUS_UNKNOWN } = outpost.plugin.v1.Condition.Status;
const CONDITION_STATUS = { true: STATUS_TRUE, false: STATUS_FALSE, unknown: STATUS_UNKNOWN };

/** An event as it travels. */
export function writeEvent(event: SentEvent): outpost.plugin.v1.Event.$Properties {
  const { seq, cursor, name, time, severity, subject, condition, source } = event;
  return {
    seq,
    cursor,
    name,
    timeMs: time,
    severity: severity === undefined ? 0 : SEVERITY_NUMBERS[severity],
    ...(subject && { subject: { display: '', ...subject } }),
    reason: event.reason ?? '',
    message: event.message,
    attributes: writeAttributes(event.attributes ?? {}),
    ...(condition && {
      condition: { type: condition.type, status: CONDITION_STATUS[condition.status] },
    }),
    raw: event.raw ?? '',
    // Sources of instances are called "collector/instance".
    collector: source.replace(/\/.*$/s, ''),
    count: event.count ?? 0,
  };
}

/** Attributes as they travel. */
export function writeAttributes(values: Readonly<Record<string, AttributeValue>>): Attribute[] {
  return Object.entries(values).map(([name, value]) => {
    if (typeof value === 'string') return { name, text: value };
    return typeof value === 'number' ? { name, number: value } : { name, flag: value };
  });
}

/** Attributes that came; the last of one name counts, one without a value is an empty text. */
export function readAttributes(attributes: readonly Attribute[]): Record<string, AttributeValue> {
  return Object.fromEntries(
    attributes.map(({ name, text, number, flag }) => [name ?? '', text ?? number ?? flag ?? '']),
  );
}
