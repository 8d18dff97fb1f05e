// What goes on with a running plugin beside its collections: events, samples at times of its own choice, its
// inventory, and what it prints. Each is a call that is opened again when it ends; none disturbs another.

import { type Clock, sleep } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { readAttributes } from '../sdk/event-message.ts';
import type { AttributeValue } from '../sdk/events.ts';
import { isUnimplemented } from './call-error.ts';
import type { PluginConnection } from './connection.ts';
import { LineReader } from './line-reader.ts';
import { type CallResult, callFunction, captureBlobs } from './plugin-calls.ts';
import type { Description } from './plugin-methods.ts';
import type { PluginState } from './plugin-storage.ts';
import { type EventSink, readEvent } from './received-event.ts';
import { SampleBatch } from './sample-batch-reader.ts';
import type { SeriesIntake } from './series-intake.ts';

/** A call that ended is opened again after this long, and after twice as long the next time. */
const AGAIN_MIN_MS = 1_000;
const AGAIN_MAX_MS = 60_000;
/** Events that may be on their way. */
const UNACKED_MAX = 1_000;
/** Things of one plugin's inventory that are kept, and the length of all their texts. */
const ENTITIES_MAX = 10_000;
const ENTITY_LENGTH_MAX = 16_384;
/** How far a sample's own time may lie from now. */
const TIME_SLACK_MS = 10 * 60_000;
const CURSOR_KEY = 'events';

/** A device or another thing of the host, as a plugin tells it. */
export interface InventoryEntity {
  readonly id: string;
  readonly type: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export interface SessionOptions {
  readonly plugin: string;
  readonly connection: PluginConnection;
  readonly description: Description;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Null where events are not taken; plugins are not asked for them then. */
  readonly events: EventSink | null;
  /** Where the cursor of the last kept event lies. */
  readonly cursors: PluginState;
  /** Makes the intake of samples whose time the plugin chooses; their series are apart from the others. */
  readonly streamIntake: () => SeriesIntake;
  /** Takes a line that the plugin printed. */
  readonly print: (line: string, isError: boolean) => void;
  /** Told of samples taken beside collections. */
  readonly onSamples: (count: number) => void;
}

/** One plugin's calls beside its collections. `run` may be called once. */
export class PluginSession {
  readonly #options: SessionOptions;
  readonly #inventory = new Map<string, InventoryEntity>();
  #inventoryIsComplete = false;
  #refused = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** What the plugin has told of, by id; it may still be telling. */
  get inventory(): ReadonlyMap<string, InventoryEntity> {
    return this.#inventory;
  }

  /** Whether everything that was there at the start has been told. */
  get inventoryIsComplete(): boolean {
    return this.#inventoryIsComplete;
  }

  /** Things that were not kept, for there were too many or they were too large. */
  get inventoryRefused(): number {
    return this.#refused;
  }

  /** The functions that the plugin says it has, with who may call them. */
  get functions(): Description['functions'] {
    return this.#options.description.functions;
  }

  /**
   * Runs a function. Rejects with `not-found` for one the plugin does not list, and as callFunction does;
   * whether the caller may is for the caller's host to decide.
   */
  call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    limits: Parameters<typeof callFunction>[2],
  ): Promise<CallResult> {
    const { plugin, connection } = this.#options;
    if (!this.functions.some(each => each.name === name)) {
      const known = this.functions.map(each => each.name).join(', ') || 'none';
      const text = `call ${name} of plugin ${plugin}: its functions are: ${known}`;
      return Promise.reject(new OutpostError('not-found', text));
    }
    return callFunction(connection, { name, args }, limits);
  }

  /** The plugin's part of an incident snapshot; none where it captures nothing. */
  async capture(
    trigger: string,
    limits: Parameters<typeof captureBlobs>[2],
  ): ReturnType<typeof captureBlobs> {
    const { connection, description } = this.#options;
    if (!description.features.includes('capture')) return { blobs: [], problem: null };
    return captureBlobs(connection, trigger, limits);
  }

  /** Keeps the calls open that the plugin says it serves, until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { features } = this.#options.description;
    const calls: [string, () => Promise<void>][] = [['output', () => this.#output(signal)]];
    if (features.includes('stream_events') && this.#options.events !== null) {
      calls.push(['events', () => this.#events(signal)]);
    }
    if (features.includes('stream_metrics')) calls.push(['metrics', () => this.#metrics(signal)]);
    if (features.includes('inventory')) calls.push(['inventory', () => this.#follow(signal)]);
    await Promise.all(calls.map(([name, call]) => this.#keep(name, call, signal)));
  }

  async #keep(name: string, call: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    let delayMs = AGAIN_MIN_MS;
    while (!signal.aborted) {
      const started = clock.monotonic();
      try {
        await call();
        // What is printed is asked for once; go-plugin replays nothing.
        if (name === 'output') return;
      } catch (error) {
        if (signal.aborted || name === 'output') return;
        logger.warn('a call to the plugin ended', { call: name, err: String(error) });
        if (isUnimplemented(error)) return;
      }
      if (clock.monotonic() - started > AGAIN_MAX_MS) delayMs = AGAIN_MIN_MS;
      await sleep(clock, delayMs, signal).catch(() => {});
      delayMs = Math.min(delayMs * 2, AGAIN_MAX_MS);
    }
  }

  async #output(signal: AbortSignal): Promise<void> {
    const { connection, print } = this.#options;
    const lines = [false, true].map(isError => new LineReader(line => print(line, isError)));
    try {
      for await (const { isError, data } of connection.output(signal)) {
        lines[isError ? 1 : 0]!.feed(Buffer.from(data));
      }
    } finally {
      for (const reader of lines) reader.end();
    }
  }

  async #events(signal: AbortSignal): Promise<void> {
    const { plugin, connection, description, clock, events, cursors } = this.#options;
    const kept = await cursors.get(CURSOR_KEY);
    const cursor = kept === null ? '' : new TextDecoder().decode(kept);
    const ended = new AbortController();
    const call = connection.streamEvents(
      cursor,
      UNACKED_MAX,
      AbortSignal.any([signal, ended.signal]),
    );
    try {
      for await (const { events: sent } of call.answers) {
        const last = sent.at(-1);
        if (!last) continue;
        const now = clock.now();
        await events!.append(
          plugin,
          sent.map(event => readEvent(event, description, now)),
        );
        const next = sent.findLast(event => event.cursor)?.cursor ?? '';
        if (next !== '') await cursors.put(CURSOR_KEY, new TextEncoder().encode(next));
        call.acknowledge(last.seq ?? 0);
      }
    } finally {
      ended.abort();
    }
  }

  async #metrics(signal: AbortSignal): Promise<void> {
    const { connection, clock, streamIntake, onSamples } = this.#options;
    const intake = streamIntake();
    const batch = new SampleBatch();
    const limits = { bytesMax: Number.POSITIVE_INFINITY, signal };
    let newest = 0;
    try {
      for await (const answer of connection.streamMetrics(limits)) {
        decode(batch, answer);
        const time = batch.timeMs;
        if (Math.abs(time - clock.now()) > TIME_SLACK_MS || time < newest) {
          intake.drop('wrong-time', String(time));
          continue;
        }
        newest = time;
        batch.partial = true;
        onSamples(await intake.take(batch, time));
      }
    } finally {
      await intake.close(clock.now());
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { connection } = this.#options;
    this.#inventory.clear();
    this.#inventoryIsComplete = false;
    const limits = { bytesMax: Number.POSITIVE_INFINITY, signal };
    for await (const { present, gone, complete } of connection.inventory(limits)) {
      for (const { id, type, attributes } of present) {
        const entity = {
          id: id ?? '',
          type: type ?? '',
          attributes: readAttributes(attributes ?? []),
        };
        const isNew = !this.#inventory.has(entity.id);
        const isFull = isNew && this.#inventory.size >= ENTITIES_MAX;
        if (isFull || JSON.stringify(entity).length > ENTITY_LENGTH_MAX) this.#refused++;
        else this.#inventory.set(entity.id, entity);
      }
      for (const id of gone) this.#inventory.delete(id);
      this.#inventoryIsComplete ||= complete;
    }
  }
}

function decode(batch: SampleBatch, bytes: Uint8Array): void {
  try {
    batch.decode(bytes);
  } catch (cause) {
    throw new OutpostError('corrupt', `read samples of a stream: ${String(cause)}`, { cause });
  }
}
