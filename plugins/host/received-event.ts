// Events of plugins as the host hands them on: bounded, with declared names only, whatever was sent.

import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { readAttributes } from '../sdk/event-message.ts';
import type { AttributeValue } from '../sdk/events.ts';
import type { Description } from './plugin-methods.ts';

const { STATUS_FALSE, STATUS_TRUE } = outpost.plugin.v1.Condition.Status;

/** What an event is called whose name the plugin did not declare. */
export const UNDECLARED = 'plugin.undeclared_event';
const TEXT_LENGTH_MAX = 4_096;
const RAW_LENGTH_MAX = 16_384;
const KEY_LENGTH_MAX = 256;
const ATTRIBUTES_MAX = 64;
const INFO = 9;

/** An event of a plugin. */
export interface ReceivedEvent {
  readonly name: string;
  /** When it happened, Unix ms, as the plugin says. */
  readonly time: number;
  /** OpenTelemetry's severity number, 1 to 24. */
  readonly severity: number;
  /** What it happened to; null where that is not said. */
  readonly subject: {
    readonly type: string;
    readonly key: string;
    readonly display: string;
  } | null;
  readonly reason: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly condition: {
    readonly type: string;
    readonly status: 'true' | 'false' | 'unknown';
  } | null;
  readonly raw: string;
  readonly collector: string;
  /** How many alike it stands for, one or more. */
  readonly count: number;
}

/** Where events of plugins go. */
export interface EventSink {
  /** Resolves once the events are kept; they are acknowledged then. Rejects where they are not. */
  append(plugin: string, events: readonly ReceivedEvent[]): Promise<void>;
}

/** Reads what a plugin sent; `now` is the time of those that have none. */
export function readEvent(
  event: outpost.plugin.v1.Event.$Properties,
  { events }: Pick<Description, 'events'>,
  now: number,
): ReceivedEvent {
  const declared = events.find(({ name }) => name === event.name);
  const attributes = readAttributes((event.attributes ?? []).slice(0, ATTRIBUTES_MAX));
  const { subject, condition } = event;
  return {
    name: declared?.name ?? UNDECLARED,
    time: event.timeMs || now,
    severity: clampSeverity(event.severity || declared?.severity || INFO),
    subject: subject
      ? {
          type: short(subject.type),
          key: short(subject.key),
          display: short(subject.display),
        }
      : null,
    reason: short(event.reason),
    message: (event.message ?? '').slice(0, TEXT_LENGTH_MAX),
    attributes: {
      ...Object.fromEntries(Object.entries(attributes).map(([k, v]) => [short(k), bounded(v)])),
      ...(!declared && { name: short(event.name) }),
    },
    condition: condition
      ? { type: short(condition.type), status: conditionStatus(condition.status) }
      : null,
    raw: (event.raw ?? '').slice(0, RAW_LENGTH_MAX),
    collector: short(event.collector),
    count: Math.max(1, event.count ?? 1),
  };
}

function conditionStatus(status: unknown): 'true' | 'false' | 'unknown' {
  if (status === STATUS_TRUE) return 'true';
  return status === STATUS_FALSE ? 'false' : 'unknown';
}

function clampSeverity(severity: number): number {
  return Math.min(24, Math.max(1, severity));
}

function short(text: string | null | undefined): string {
  return (text ?? '').slice(0, KEY_LENGTH_MAX);
}

function bounded(value: AttributeValue): AttributeValue {
  return typeof value === 'string' ? value.slice(0, TEXT_LENGTH_MAX) : value;
}
