// Shows how far long work is: one bar with rate and time left on a terminal, plain lines every few seconds
// elsewhere (a log, a pipe), nothing where it is not wanted. There are no timers: the work's own calls
// drive it.

import { formatDuration, formatSize } from '../encoding/units.ts';
import type { Clock } from '../lifecycle/clock.ts';
import type { ProgressSink } from '../tools/progress-sink.ts';

/** Where progress is shown; process.stderr is one. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly stream: ProgressStream;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Shows nothing. */
  readonly quiet: boolean;
}

const REDRAW_MS = 100;
const LINE_MS = 5000;
const BAR_WIDTH = 24;
const COLUMNS_DEFAULT = 80;
// The rate is that of about the last ten seconds.
const RATE_WINDOW_MS = 10_000;

interface Phase {
  readonly name: string;
  readonly total: number | null;
  readonly unit: string;
  readonly started: number;
  done: number;
  shownAt: number;
  shown: boolean;
  /** Where the window of the rate begins. */
  windowAt: number;
  windowDone: number;
  rate: number;
}

/** Draws the phases of one command. Call `end` before anything else is written to the stream. */
export class Progress implements ProgressSink {
  readonly #options: ProgressOptions;
  #phase: Phase | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  phase(name: string, total: number | null, unit: string): void {
    this.end();
    const now = this.#options.clock.monotonic();
    this.#phase = {
      name,
      total,
      unit,
      started: now,
      done: 0,
      shownAt: now,
      shown: false,
      windowAt: now,
      windowDone: 0,
      rate: 0,
    };
  }

  at(done: number): void {
    const phase = this.#phase;
    if (!phase) return;
    phase.done = done;
    if (this.#options.quiet) return;
    const now = this.#options.clock.monotonic();
    if (now - phase.shownAt < (this.#isTerminal ? REDRAW_MS : LINE_MS)) return;
    this.#show(phase, now);
  }

  /** Ends the phase: the bar goes away; a phase that was ever shown in lines gets a last one. */
  end(): void {
    const phase = this.#phase;
    this.#phase = null;
    if (!phase?.shown) return;
    const { stream, clock } = this.#options;
    if (this.#isTerminal) stream.write('\r\x1b[K');
    else {
      const elapsed = clock.monotonic() - phase.started;
      stream.write(`${phase.name}: ${amount(phase.done, phase.unit)} in ${seconds(elapsed)}\n`);
    }
  }

  get #isTerminal(): boolean {
    return this.#options.stream.isTTY === true;
  }

  #show(phase: Phase, now: number): void {
    measure(phase, now);
    phase.shownAt = now;
    phase.shown = true;
    const { stream } = this.#options;
    if (!this.#isTerminal) {
      stream.write(`${phase.name}: ${share(phase)}${describe(phase)}\n`);
      return;
    }
    const line = `${phase.name} ${bar(phase)}${describe(phase)}`;
    const width = (stream.columns ?? COLUMNS_DEFAULT) - 1;
    stream.write(`\r${line.slice(0, width)}\x1b[K`);
  }
}

function measure(phase: Phase, now: number): void {
  const elapsed = now - phase.windowAt;
  if (elapsed > 0) phase.rate = ((phase.done - phase.windowDone) / elapsed) * 1000;
  if (elapsed < RATE_WINDOW_MS) return;
  phase.windowAt = now;
  phase.windowDone = phase.done;
}

function fraction({ done, total }: Phase): number | null {
  return total === null || total <= 0 ? null : Math.min(1, done / total);
}

function bar(phase: Phase): string {
  const part = fraction(phase);
  if (part === null) return '';
  const full = Math.round(part * BAR_WIDTH);
  return `[${'='.repeat(full)}${' '.repeat(BAR_WIDTH - full)}] ${percent(part)} `;
}

function share(phase: Phase): string {
  const part = fraction(phase);
  return part === null ? '' : `${percent(part)}, `;
}

function percent(part: number): string {
  return `${Math.floor(part * 100)}%`;
}

function describe(phase: Phase): string {
  const { done, total, unit, rate } = phase;
  const parts = [amount(done, unit), `${amount(Math.round(rate), unit)}/s`];
  if (total !== null && rate > 0 && done <= total) {
    parts.push(`${seconds(((total - done) / rate) * 1000)} left`);
  }
  return parts.join(', ');
}

function amount(count: number, unit: string): string {
  return unit === 'bytes' ? formatSize(count) : `${count.toLocaleString('en-US')} ${unit}`;
}

function seconds(ms: number): string {
  return formatDuration(Math.round(ms / 1000) * 1000);
}
