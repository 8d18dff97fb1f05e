// What an author writes: a collector declares its name and options, and opens to a function that is called
// once for each collection.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Files } from './files.ts';
import type { Metrics } from './metrics.ts';
import type { OptionProblem, Options, OptionValues } from './options.ts';
import { parseOptions } from './options.ts';

/** What a collector works with. */
export interface CollectorContext<O extends Options = Options> {
  readonly metrics: Metrics;
  readonly files: Files;
  readonly options: OptionValues<O>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Reads once and sets the series it found; those it does not set have ended. `time` is the collection's,
 * Unix ms. Throws NoDataError where this host has nothing to read, any other error where reading went
 * wrong; what was set before counts. Calls never overlap. Reads of pseudo files are synchronous; only what
 * may hang (a network mount) returns a promise.
 */
export type Collect = (time: number) => void | Promise<void>;

/** A collector as its author declares it. */
export interface CollectorSpec<O extends Options> {
  /** Unique in the plugin; the value of the label "collector". */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly defaultEnabled: boolean;
  readonly options?: O;
  /** Makes the metrics and returns the function that fills them. Called again for a new configuration. */
  readonly open: (context: CollectorContext<O>) => Collect;
}

/** A collector whose options have been checked and can be opened. */
export interface PreparedCollector {
  open(context: Omit<CollectorContext, 'options'>): Collect;
}

/** A collector as a plugin holds it. */
export interface Collector {
  readonly name: string;
  readonly help: string;
  readonly defaultEnabled: boolean;
  readonly options: Options;
  prepare(
    written: Readonly<Record<string, unknown>>,
  ): PreparedCollector | { readonly problems: readonly OptionProblem[] };
}

/** Declares a collector; the types of its options follow from their declaration. */
export function defineCollector<const O extends Options = Record<string, never>>(
  spec: CollectorSpec<O>,
): Collector {
  const declared = (spec.options ?? {}) as O;
  return {
    name: spec.name,
    help: spec.help,
    defaultEnabled: spec.defaultEnabled,
    options: declared,
    prepare(written) {
      const parsed = parseOptions(declared, written);
      if ('problems' in parsed) return parsed;
      return { open: context => spec.open({ ...context, options: parsed.values }) };
    },
  };
}

/** This host has nothing for the collector: no such hardware, file or kernel feature. */
export class NoDataError extends Error {
  override readonly name: string = 'NoDataError';
}
