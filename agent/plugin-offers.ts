// What the agent offers to its plugins: queries over its own database, state on its disk, a place for their
// events.

import type { HostOffers } from '../plugins/host/host-offers.ts';
import type { QuerySample } from '../plugins/host/host-service.ts';
import type { PluginStorage } from '../plugins/host/plugin-storage.ts';
import type { EventSink, ReceivedEvent } from '../plugins/host/received-event.ts';
import type { HostEvent } from '../plugins/host/sink.ts';
import type { Clock } from '../src/lifecycle/clock.ts';
import type { Engine } from '../src/promql/engine.ts';
import type { ResultValue } from '../src/promql/result.ts';
import type { Queryable } from '../src/storage/queryable.ts';
import type { EventLog } from './events.ts';

/** How long a plugin's query may take. */
const QUERY_MS = 5_000;
/** OpenTelemetry's severity numbers from which on an event is a warning, and an error. */
const WARN = 13;
const ERROR = 17;

export interface PluginOffersOptions {
  readonly engine: Engine;
  readonly queryable: Queryable;
  readonly events: EventLog;
  readonly storage: PluginStorage;
  readonly clock: Clock;
  readonly fillRandom: (bytes: Uint8Array) => void;
}

/** The agent's offers. */
export function newPluginOffers(options: PluginOffersOptions): HostOffers {
  const { engine, queryable, clock, storage, fillRandom } = options;
  return {
    storage,
    fillRandom,
    events: new PluginEvents(options.events),
    async query(text, time) {
      const timeMs = time ?? clock.now();
      const signal = AbortSignal.timeout(QUERY_MS);
      const result = await engine.instant(queryable, text, { timeMs, signal });
      try {
        return { samples: samplesOf(result.value, timeMs), warnings: result.warnings };
      } finally {
        result.release();
      }
    },
  };
}

/** Puts events of plugins among those of the agent. */
class PluginEvents implements EventSink {
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  async append(plugin: string, events: readonly ReceivedEvent[]): Promise<void> {
    for (const event of events) this.#log.add(agentEvent(plugin, event));
  }
}

function agentEvent(plugin: string, event: ReceivedEvent): HostEvent {
  const { name, severity, subject, reason, message, condition, collector, count, time } = event;
  const attributes = Object.entries(event.attributes).map(([key, value]) => [key, String(value)]);
  return {
    name,
    severity: severity >= ERROR ? 'error' : severity >= WARN ? 'warn' : 'info',
    message: message || reason || name,
    attributes: {
      ...Object.fromEntries(attributes),
      plugin,
      time: new Date(Math.min(Math.max(time, -8.64e15), 8.64e15)).toISOString(),
      ...(collector !== '' && { collector }),
      ...(reason !== '' && { reason }),
      ...(subject && { subject: `${subject.type}/${subject.key}` }),
      ...(condition && { condition: `${condition.type}=${condition.status}` }),
      ...(count > 1 && { count: String(count) }),
    },
  };
}

/** Histograms are left out: a plugin gets numbers. The last value stands for a range. */
function samplesOf(value: ResultValue, timeMs: number): QuerySample[] {
  switch (value.type) {
    case 'scalar':
      return [{ labels: [], value: value.value, time: value.time }];
    case 'string':
      return [];
    case 'vector':
      return value.samples
        .filter(({ histogram }) => histogram === null)
        .map(({ labels, value: number }) => ({ labels, value: number, time: timeMs }));
    case 'matrix':
      return value.series
        .filter(({ times }) => times.length > 0)
        .map(({ labels, times, values }) => ({
          labels,
          value: values.at(-1)!,
          time: times.at(-1)!,
        }));
  }
}
