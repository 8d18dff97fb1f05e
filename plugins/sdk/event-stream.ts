// The events of all sources of a plugin on their way to the host: numbered, kept until they are
// acknowledged, sent again on a new call, bounded. One cursor stands for all sources together.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { PluginEvent } from './events.ts';

/** Events that wait or are on their way at most, whatever the host allows. */
const QUEUE_MAX = 4096;
/** Events sent at once. */
const BATCH_MAX = 256;
/** Events on their way where the host sets no limit. */
const UNACKED_DEFAULT = 1000;

/** An event as it travels. */
export interface SentEvent extends PluginEvent {
  readonly seq: number;
  readonly time: number;
  /** The cursors of all sources after this event. */
  readonly cursor: string;
  /** The collector whose source it is; '' for the plugin's own. */
  readonly source: string;
}

interface Queued extends Omit<SentEvent, 'seq'> {
  seq: number;
}

/** A call of the host that takes events. */
export interface EventCall {
  /** Cursor of the last event the host has kept. */
  readonly resumeAfter: string;
  /** 0 where the host sets none. */
  readonly unackedMax: number;
  readonly send: (events: readonly SentEvent[]) => void;
}

/** The queue of a plugin's events. */
export class EventStream {
  readonly #clock: Clock;
  readonly #onLost: (count: number) => void;
  #cursors: Record<string, string> = {};
  readonly #queue: Queued[] = [];
  /** How many of the queue have been sent on the present call. */
  #sent = 0;
  #seq = 0;
  #call: EventCall | null = null;
  #waiting: (() => void)[] = [];
  #lost = 0;

  /** `onLost` is told how many events were dropped since it was told last. */
  constructor(clock: Clock, onLost: (count: number) => void) {
    this.#clock = clock;
    this.#onLost = onLost;
  }

  /** Events that the host has not acknowledged. */
  get length(): number {
    return this.#queue.length;
  }

  /** Where a source resumes. */
  cursorOf(source: string): string {
    return this.#cursors[source] ?? '';
  }

  /** A call begins, in place of the one before: what is not acknowledged is sent on it, once more. */
  open(call: EventCall): void {
    const isFirst = this.#seq === 0 && this.#queue.length === 0;
    // Kept by the host although the acknowledgement was lost.
    const kept = this.#queue.findIndex(event => event.cursor === call.resumeAfter);
    if (call.resumeAfter !== '' && kept >= 0) this.#queue.splice(0, kept + 1);
    if (isFirst) this.#cursors = parseCursors(call.resumeAfter);
    this.#call = call;
    this.#sent = 0;
    this.#seq = 0;
    this.#flush();
  }

  /** A call has ended. */
  close(call: EventCall): void {
    if (this.#call === call) this.#call = null;
  }

  /** Every event of the call up to `seq` is kept by the host. */
  acknowledge(call: EventCall, seq: number): void {
    if (this.#call !== call) return;
    let count = 0;
    while (count < this.#sent && this.#queue[count]!.seq <= seq) count++;
    this.#queue.splice(0, count);
    this.#sent -= count;
    this.#flush();
  }

  /** Takes an event of a source; resolves when there is room for another. */
  emit(source: string, event: PluginEvent): Promise<void> {
    if (this.#queue.length >= QUEUE_MAX) {
      this.#lost++;
      return this.#room();
    }
    if (event.cursor !== undefined) {
      this.#cursors = { ...this.#cursors, [source]: event.cursor };
    }
    const cursor = Object.keys(this.#cursors).length > 0 ? JSON.stringify(this.#cursors) : '';
    const time = event.time ?? this.#clock.now();
    this.#queue.push({ ...event, time, cursor, source, seq: 0 });
    this.#flush();
    return this.#room();
  }

  #room(): Promise<void> {
    if (this.#queue.length < QUEUE_MAX / 2) return Promise.resolve();
    return new Promise(resolve => {
      this.#waiting.push(resolve);
    });
  }

  #flush(): void {
    const call = this.#call;
    if (call !== null) {
      const allowed = call.unackedMax > 0 ? call.unackedMax : UNACKED_DEFAULT;
      while (this.#sent < Math.min(this.#queue.length, allowed)) {
        const batch = this.#queue.slice(this.#sent, Math.min(this.#sent + BATCH_MAX, allowed));
        for (const event of batch) event.seq = ++this.#seq;
        this.#sent += batch.length;
        call.send(batch);
      }
    }
    if (this.#queue.length >= QUEUE_MAX / 2) return;
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      this.#onLost(lost);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Cursors by source; none where the text is not one of ours. */
function parseCursors(text: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    const entries = Object.entries(value).filter(([, cursor]) => typeof cursor === 'string');
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}
