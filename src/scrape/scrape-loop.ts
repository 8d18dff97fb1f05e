// One target, scraped on its own grid: the interval, shifted by an offset that hashes give, so that targets
// are spread over time and a restart moves none.

import type { HttpClient } from '../http-client/client.ts';
import { type Clock, sleep } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Appendable, MetricMetadata } from '../storage/appender.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ScrapeConfig } from './config.ts';
import { acceptHeader, formatOf, scannerOf } from './negotiation.ts';
import type { ScrapeMetrics } from './scrape-metrics.ts';
import { offsetOf, type Target } from './target.ts';
import { type ReportSample, type ScrapeCounts, TargetStore } from './target-store.ts';

/** A scrape this close to its time on the grid is stored with that time. */
const ALIGNMENT_MS = 2;
const ALIGNMENT_SHARE = 0.01;
/** How long after its end a target's series are ended: who took it over has scraped it by then. */
const END_INTERVALS = 2.1;
/** Bodies beyond this are refused where the job has no limit of its own. */
const BODY_BYTES_MAX = 256 * 1024 * 1024;
const NOTHING: ScrapeCounts = { scraped: 0, kept: 0, added: 0 };

/** What loops of one process share. */
export interface ScrapeContext {
  readonly storage: Appendable;
  readonly clock: Clock;
  /** Spreads this process's scrapes differently from others'. */
  readonly seed: number;
  readonly logger: Logger;
  readonly metrics: ScrapeMetrics;
  readonly userAgent: string;
}

/** A target's life. */
export class ScrapeLoop {
  readonly target: Target;
  health: 'up' | 'down' | 'unknown' = 'unknown';
  lastError = '';
  /** Unix ms; 0 before the first scrape. */
  lastScrape = 0;
  lastScrapeMs = 0;
  /** Why the target may not be scraped at the moment; '' where it may. */
  refusal = '';
  readonly #config: ScrapeConfig;
  readonly #context: ScrapeContext;
  readonly #client: HttpClient;
  readonly #store: TargetStore;
  readonly #offset: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #stop = new AbortController();
  #isLosing = false;
  #done: Promise<void> | null = null;
  #bodyBytes = 0;

  /** The client stays the caller's. */
  constructor(target: Target, config: ScrapeConfig, client: HttpClient, context: ScrapeContext) {
    this.target = target;
    this.#config = config;
    this.#client = client;
    this.#context = context;
    this.#offset = offsetOf(target, context.seed);
    this.#store = new TargetStore({
      storage: context.storage,
      config,
      labels: target.labels,
      seed: context.seed,
      onCommit: result => {
        const refused = context.metrics.committed(result);
        if (refused === null) return;
        context.logger.warn('scraped samples are refused', { target: target.url, refused });
      },
    });
    this.#headers = {
      Accept: acceptHeader(config.protocols, config.escaping),
      'Accept-Encoding': config.enableCompression ? 'gzip' : 'identity',
      'User-Agent': context.userAgent,
      'X-Prometheus-Scrape-Timeout-Seconds': String(target.timeoutMs / 1000),
    };
  }

  /** What the target has told of its metrics. */
  get metadata(): ReadonlyMap<string, MetricMetadata> {
    return this.#store.metadata;
  }

  /** Begins to scrape. */
  start(): void {
    this.#done ??= this.#run(this.#stop.signal).catch(error => {
      this.lastError = OutpostError.from(error).message;
      this.#context.logger.error('a target is no longer scraped', {
        target: this.target.url,
        err: this.lastError,
      });
    });
  }

  /** Stops; the scrape at work is given up. Series stay as they are. */
  async stop(): Promise<void> {
    this.#stop.abort(new DOMException('stopping', 'AbortError'));
    await this.#done;
  }

  /** After `stop`: ends the series as of the first scrape that did not happen, once that is long ago. */
  async end(signal: AbortSignal): Promise<void> {
    if (this.lastScrape === 0) return;
    const { intervalMs } = this.target;
    const { clock } = this.#context;
    const wait = this.lastScrape + END_INTERVALS * intervalMs - clock.now();
    try {
      await sleep(clock, Math.max(0, wait), signal);
      await this.#store.end(this.lastScrape + intervalMs);
    } catch (error) {
      if (!signal.aborted) this.#lost(error);
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    while (!signal.aborted) {
      const due = this.#nextDue(clock.now());
      await sleep(clock, due - clock.now(), signal).catch(() => {});
      if (!signal.aborted) await this.scrape(this.#timeOf(due, clock.now()), signal);
    }
  }

  #nextDue(now: number): number {
    const { intervalMs } = this.target;
    // A timer may fire a little early; the same tick does not come twice. A clock that stepped is followed.
    const isRecent = Math.abs(now - this.lastScrape) < intervalMs;
    const after = isRecent ? Math.max(now, this.lastScrape + intervalMs / 2) : now;
    return Math.ceil((after - this.#offset) / intervalMs) * intervalMs + this.#offset;
  }

  #timeOf(due: number, now: number): number {
    const tolerance = Math.min(ALIGNMENT_MS, this.target.intervalMs * ALIGNMENT_SHARE);
    return Math.abs(now - due) <= tolerance ? due : now;
  }

  /** One scrape, stored at a time (Unix ms). Never rejects. */
  async scrape(time: number, signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#context;
    const started = clock.monotonic();
    this.#bodyBytes = 0;
    let counts = NOTHING;
    let error: OutpostError | null = null;
    try {
      counts = await this.#scrapeOnce(time, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      error = OutpostError.from(thrown);
    }
    this.lastScrape = time;
    this.lastScrapeMs = clock.monotonic() - started;
    this.lastError = error?.message ?? '';
    this.health = error ? 'down' : 'up';
    if (error) metrics.failed.with(this.#config.jobName).inc();
    try {
      if (error) await this.#store.fail(time);
      await this.#store.report(this.#report(counts), time);
      this.#isLosing = false;
    } catch (thrown) {
      this.#lost(thrown);
    }
  }

  async #scrapeOnce(time: number, signal: AbortSignal): Promise<ScrapeCounts> {
    const { bodyBytes } = this.#config.limits;
    const deadline = new AbortController();
    const cancel = this.#context.clock.after(this.target.timeoutMs, () =>
      deadline.abort(new OutpostError('timeout', this.#timeoutText())),
    );
    const onStop = (): void => deadline.abort(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    try {
      if (this.refusal !== '') throw new OutpostError('limit-exceeded', this.refusal);
      const { socketPath, url } = this.target;
      const response = await this.#client.fetch({
        url,
        headers: this.#headers,
        signal: deadline.signal,
        bodyBytesMax: bodyBytes > 0 ? bodyBytes : BODY_BYTES_MAX,
        ...(socketPath !== '' && { socketPath }),
      });
      if (response.status !== 200) {
        const status = `${response.status} ${response.statusText}`.trim();
        throw new OutpostError('unavailable', `server returned HTTP status ${status}`);
      }
      const { body } = response;
      this.#bodyBytes = body.length;
      const format = formatOf(response.header('content-type'), this.#config);
      return await this.#store.store(() => scannerOf(body, format, this.#config), time);
    } catch (error) {
      const isTooLong = error instanceof OutpostError && error.message.startsWith('body size');
      if (isTooLong) this.#bodyBytes = -1;
      throw error;
    } finally {
      cancel();
      signal.removeEventListener('abort', onStop);
    }
  }

  #timeoutText(): string {
    return `no answer within the scrape timeout of ${this.target.timeoutMs / 1000} s`;
  }

  #report(counts: ScrapeCounts): ReportSample[] {
    const report: ReportSample[] = [
      ['up', this.health === 'up' ? 1 : 0],
      ['scrape_duration_seconds', this.lastScrapeMs / 1000],
      ['scrape_samples_scraped', counts.scraped],
      ['scrape_samples_post_metric_relabeling', counts.kept],
      ['scrape_series_added', counts.added],
    ];
    if (!this.#config.extraMetrics) return report;
    return [
      ...report,
      ['scrape_timeout_seconds', this.target.timeoutMs / 1000],
      ['scrape_sample_limit', this.#config.limits.samples],
      ['scrape_body_size_bytes', this.#bodyBytes],
    ];
  }

  /** One line when writing stops, not one for each scrape. */
  #lost(error: unknown): void {
    this.#context.metrics.lost.inc();
    if (this.#isLosing) return;
    this.#isLosing = true;
    const { message } = OutpostError.from(error);
    this.#context.logger.error('scraped samples are not stored', {
      target: this.target.url,
      err: message,
    });
  }
}
