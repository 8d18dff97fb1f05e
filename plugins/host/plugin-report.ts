// What one plugin gives occasion to tell: events with its name, and the same trouble not again and again.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { HostMetrics } from './host-metrics.ts';
import type { DropReason } from './series-intake.ts';
import type { HostEvent } from './sink.ts';

/** The same trouble of a plugin is told again after this long. */
const EVENT_REPEAT_MS = 10 * 60_000;
const MESSAGE_LENGTH = 2_000;

/** What is told as a limit that was hit; all else that is dropped is data no host could take. */
const LIMITS: ReadonlySet<DropReason> = new Set([
  'series-limit',
  'series-rate',
  'sample-rate',
  'event-rate',
  'label-length',
  'answer-bytes',
]);

export interface PluginReportOptions {
  readonly plugin: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: HostMetrics;
  readonly onEvent: (event: HostEvent) => void;
}

/** Tells about one plugin. */
export class PluginReport {
  readonly logger: Logger;
  /** The newest trouble in words; '' where there was none yet. */
  lastError = '';
  readonly #options: PluginReportOptions;
  readonly #toldAt = new Map<string, number>();

  constructor(options: PluginReportOptions) {
    this.#options = options;
    this.logger = options.logger.child({ plugin: options.plugin });
  }

  /** Raises an event. */
  tell(
    name: string,
    severity: HostEvent['severity'],
    message: string,
    attributes: Readonly<Record<string, string>> = {},
  ): void {
    const { plugin, onEvent } = this.#options;
    const text = message.slice(0, MESSAGE_LENGTH);
    if (severity !== 'info') this.lastError = text;
    onEvent({ name, severity, message: text, attributes: { plugin, ...attributes } });
  }

  /** Raises an event unless one with the same key was raised lately. */
  tellOnce(key: string, name: string, message: string, attributes: Record<string, string>): void {
    const now = this.#options.clock.monotonic();
    if (now - (this.#toldAt.get(key) ?? -Infinity) < EVENT_REPEAT_MS) return;
    this.#toldAt.set(key, now);
    this.tell(name, 'warn', message, attributes);
  }

  /** Counts what was dropped, and tells the first of each reason. */
  dropped(reason: DropReason, count: number, example: string): void {
    const { plugin, metrics } = this.#options;
    metrics.dropped.with(plugin, reason).inc(count);
    const name = LIMITS.has(reason) ? 'plugin.cardinality_limited' : 'plugin.data_refused';
    const message = `data of plugin ${plugin} is refused (${reason}), first: ${example}`;
    this.tellOnce(reason, name, message.slice(0, 1000), { reason });
  }
}
