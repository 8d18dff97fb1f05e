// How many events a plugin may send: a bucket that fills with time. What is beyond is acknowledged, so that the
// plugin does not send it again, and counted.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { EventSink, ReceivedEvent } from './received-event.ts';

export interface EventLimitOptions {
  readonly clock: Clock;
  /** Events a minute; as many may come at once after a minute of silence. */
  readonly perMinute: number;
  /** Told with how many were dropped and the name of the first. */
  readonly onDropped: (count: number, example: string) => void;
}

/** A sink that passes on no more events than it may; of one plugin. */
export class LimitedEvents implements EventSink {
  readonly #sink: EventSink;
  readonly #options: EventLimitOptions;
  #left: number;
  #at: number;

  constructor(sink: EventSink, options: EventLimitOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#left = options.perMinute;
    this.#at = options.clock.monotonic();
  }

  async append(plugin: string, events: readonly ReceivedEvent[]): Promise<void> {
    const { clock, perMinute, onDropped } = this.#options;
    const now = clock.monotonic();
    this.#left = Math.min(perMinute, this.#left + ((now - this.#at) / 60_000) * perMinute);
    this.#at = now;
    const taken = events.slice(0, Math.floor(this.#left));
    this.#left -= taken.length;
    const first = events[taken.length];
    if (first) onDropped(events.length - taken.length, first.name);
    if (taken.length > 0) await this.#sink.append(plugin, taken);
  }
}
