// What whoever looks at a server should know now: conditions that last, each with the time it began.

const SUBSCRIBERS_MAX = 16;

/** A condition, as the API tells it. */
export interface Notification {
  readonly text: string;
  /** RFC 3339: when it began. */
  readonly date: string;
  /** False where it has just ended; only subscribers hear of that. */
  readonly active: boolean;
}

type Listener = (notification: Notification) => void;

/** The conditions that hold, and those who want to hear of changes. */
export class Notifications {
  readonly #now: () => number;
  readonly #active = new Map<string, Notification>();
  readonly #listeners = new Set<Listener>();

  /** `now` is Unix ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Begins a condition; one that holds already keeps its time. */
  begin(text: string): void {
    if (this.#active.has(text)) return;
    const date = new Date(this.#now()).toISOString();
    const notification = { text, date, active: true };
    this.#active.set(text, notification);
    this.#tell(notification);
  }

  /** Ends a condition; nothing happens where it does not hold. */
  end(text: string): void {
    const known = this.#active.get(text);
    if (!known) return;
    this.#active.delete(text);
    this.#tell({ ...known, active: false });
  }

  /** The conditions that hold, oldest first. */
  list(): Notification[] {
    return [...this.#active.values()];
  }

  /**
   * What holds, then every change, as server-sent events until the signal aborts; null where too many
   * listen already. The place is taken at once and given back when the events end.
   */
  events(signal: AbortSignal): AsyncIterableIterator<Uint8Array> | null {
    if (this.#listeners.size >= SUBSCRIBERS_MAX) return null;
    const waiting: Notification[] = this.list();
    let wake: () => void = () => {};
    const listen: Listener = notification => {
      waiting.push(notification);
      wake();
    };
    this.#listeners.add(listen);
    const leave = (): void => {
      this.#listeners.delete(listen);
      wake();
    };
    signal.addEventListener('abort', leave, { once: true });
    const isOver = (): boolean => signal.aborted || !this.#listeners.has(listen);
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      while (waiting.length === 0 && !isOver()) {
        await new Promise<void>(resolve => (wake = resolve));
      }
      if (isOver()) return { done: true, value: undefined };
      const text = waiting.splice(0).map(one => `data: ${JSON.stringify(one)}\n\n`);
      return { done: false, value: Buffer.from(text.join('')) };
    };
    return {
      next,
      async return() {
        leave();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #tell(notification: Notification): void {
    for (const listener of this.#listeners) listener(notification);
  }
}
