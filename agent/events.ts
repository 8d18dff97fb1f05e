// What the agent has to tell an operator: every event is logged, counted by name, and the newest are kept
// for the status page. A bounded ring, so a storm of events costs no memory.

import type { HostEvent } from '../plugins/host/sink.ts';
import type { Clock } from '../src/lifecycle/clock.ts';
import type { Logger } from '../src/telemetry/logger.ts';
import type { Counter, Registry, Vector } from '../src/telemetry/metrics.ts';

/** Events kept for looking back. */
export const EVENTS_KEPT = 1000;

/** An event with the time it was seen, Unix ms. */
export interface AgentEvent extends HostEvent {
  readonly time: number;
}

/** Logs, counts and remembers events. */
export class EventLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #total: Vector<Counter>;
  readonly #kept: AgentEvent[] = [];

  constructor(clock: Clock, logger: Logger, registry: Registry) {
    this.#clock = clock;
    this.#logger = logger;
    this.#total = registry.counterVector({
      name: 'agent_events_total',
      help: 'Events the agent raised, by name and severity.',
      labelNames: ['name', 'severity'],
    });
  }

  add(event: HostEvent): void {
    this.#total.with(event.name, event.severity).inc();
    this.#logger[event.severity](event.message, { event: event.name, ...event.attributes });
    this.#kept.push({ ...event, time: this.#clock.now() });
    if (this.#kept.length > EVENTS_KEPT) this.#kept.shift();
  }

  /** The newest events, oldest first. */
  recent(): readonly AgentEvent[] {
    return this.#kept;
  }
}
