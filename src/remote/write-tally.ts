// What became of a request's samples, and the answer a sender gets for it.

import { Labels } from '../labels/labels.ts';
import type { CommitResult, Refusal, RefusalReason } from '../storage/appender.ts';

/** Why a sample of a request was not stored. */
export type WriteRefusalReason = RefusalReason | 'invalid-labels';

/** The protocol's answer. `message` is '' where there is nothing to say. */
export interface WriteAnswer {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

const EXAMPLES_MAX = 3;
const EXAMPLE_LENGTH_MAX = 200;

/** Counts of one request. */
export class WriteTally {
  /** Floats, histograms and markers. */
  stored = 0;
  /** How many of them are histograms. */
  histograms = 0;
  exemplars = 0;
  /** Exemplars never make a request fail. */
  exemplarsRefused = 0;
  readonly refused = new Map<WriteRefusalReason, number>();
  readonly #examples: string[] = [];

  refuse(reason: WriteRefusalReason, count: number, example: () => string): void {
    if (count === 0) return;
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + count);
    if (this.#examples.length < EXAMPLES_MAX) {
      const text = example();
      const shown =
        text.length > EXAMPLE_LENGTH_MAX ? `${text.slice(0, EXAMPLE_LENGTH_MAX)}…` : text;
      this.#examples.push(`${shown}: ${reason}`);
    }
  }

  /** Adds a commit's counts; those of `except` are left to the caller. */
  add(result: CommitResult, except?: RefusalReason): void {
    this.stored += result.stored;
    this.histograms += result.histograms;
    this.exemplars += result.exemplars;
    this.exemplarsRefused += result.exemplarsRefused;
    for (const [reason, count] of result.refused) {
      if (reason === except) continue;
      const example = result.examples.find(e => e.reason === reason);
      this.refuse(reason, count, () => describe(example));
    }
  }

  /** What was stored, for the sender. */
  headers(): Readonly<Record<string, string>> {
    return {
      'X-Prometheus-Remote-Write-Samples-Written': String(this.stored - this.histograms),
      'X-Prometheus-Remote-Write-Histograms-Written': String(this.histograms),
      'X-Prometheus-Remote-Write-Exemplars-Written': String(this.exemplars),
    };
  }

  answer(): WriteAnswer {
    const refused = [...this.refused.values()].reduce((sum, count) => sum + count, 0);
    const headers = this.headers();
    if (refused === 0) return { status: 204, message: '', headers };
    const total = this.stored + refused;
    const reasons = [...this.refused].map(([reason, count]) => `${count} ${reason}`).join(', ');
    const message = `remote write: ${refused} of ${total} samples were refused and the others stored: ${reasons}. First: ${this.#examples.join('; ')}.`;
    return { status: 400, message, headers };
  }
}

function describe(example: Refusal | undefined): string {
  if (!example) return Labels.empty.toString();
  const { labels, time, detail } = example;
  // Senders may write times that no calendar has.
  const inCalendar = Math.abs(time) <= 8.64e15;
  const at = `${labels} at ${inCalendar ? new Date(time).toISOString() : time}`;
  return detail === undefined ? at : `${at} (${detail})`;
}
