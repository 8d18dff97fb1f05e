// Keeps the sources of events running: from the first call that takes events on, those of the collectors
// that are switched on and the plugin's own.

import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { EventStream } from './event-stream.ts';
import type { Emit, WatchContext } from './events.ts';

/** A source that ended is started again after this long. */
const AGAIN_MS = 10_000;

/** A source that is to run. */
export interface WantedSource {
  /** Unique in the plugin. */
  readonly key: string;
  /** Another one is another source, and is started anew. */
  readonly fingerprint: string;
  readonly watch: (context: WatchContext, emit: Emit) => Promise<void>;
}

interface Running {
  readonly fingerprint: string;
  readonly stop: AbortController;
}

/** The sources of one plugin. */
export class EventSources {
  readonly #stream: EventStream;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #running = new Map<string, Running>();
  #wanted: readonly WantedSource[] = [];
  #started = false;

  constructor(stream: EventStream, tools: { readonly clock: Clock; readonly logger: Logger }) {
    this.#stream = stream;
    this.#clock = tools.clock;
    this.#logger = tools.logger;
  }

  /** Somebody takes events now. */
  start(): void {
    this.#started = true;
    this.want(this.#wanted);
  }

  /** Lets these run and no others; what is the same goes on. */
  want(wanted: readonly WantedSource[]): void {
    this.#wanted = wanted;
    if (!this.#started) return;
    const fingerprints = new Map(wanted.map(({ key, fingerprint }) => [key, fingerprint]));
    for (const [key, { fingerprint, stop }] of this.#running) {
      if (fingerprints.get(key) === fingerprint) continue;
      stop.abort();
      this.#running.delete(key);
    }
    for (const source of wanted) {
      if (this.#running.has(source.key)) continue;
      const stop = new AbortController();
      this.#running.set(source.key, { fingerprint: source.fingerprint, stop });
      void this.#run(source, stop.signal);
    }
  }

  async #run({ key, watch }: WantedSource, signal: AbortSignal): Promise<void> {
    const emit: Emit = event =>
      signal.aborted ? Promise.resolve() : this.#stream.emit(key, event);
    while (!signal.aborted) {
      try {
        await watch({ resumeAfter: this.#stream.cursorOf(key), signal }, emit);
        this.#logger.debug('a source of events ended', { source: key });
      } catch (error) {
        if (!signal.aborted) {
          this.#logger.warn('a source of events ended', { source: key, err: String(error) });
        }
      }
      await sleep(this.#clock, AGAIN_MS, signal).catch(() => {});
    }
  }
}
