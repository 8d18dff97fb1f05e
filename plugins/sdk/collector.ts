// What an author writes: a collector declares its name and options, and opens to a function that is called
// once for each collection.

import type { Emit, EventDeclaration, EventSource, WatchContext } from './events.ts';
import type { PluginContext, ProbeOutcome } from './features.ts';
import type { Metrics } from './metrics.ts';
import type { OptionProblem, Options, OptionValues } from './options.ts';
import { parseOptions } from './options.ts';

/** What a collector works with. */
export interface CollectorContext<O extends Options = Options> extends PluginContext {
  readonly metrics: Metrics;
  readonly options: OptionValues<O>;
  /** Name of this instance; '' for a collector that is there once. */
  readonly instance: string;
}

/**
 * Reads once and sets the series it found; those it does not set have ended. `time` is the collection's,
 * Unix ms. Throws NoDataError where this host has nothing to read, any other error where reading went
 * wrong; what was set before counts. Calls never overlap. Reads of pseudo files are synchronous; only what
 * may hang (a network mount, a program) returns a promise.
 */
export type Collect = (time: number) => void | Promise<void>;

/** An opened collector that holds something to be let go. */
export interface OpenCollector {
  readonly collect: Collect;
  /** Called once, when the collector is switched off or configured anew. */
  readonly close: () => void;
}

/** A collector as its author declares it. */
export interface CollectorSpec<O extends Options> {
  /** Unique in the plugin; the value of the label "collector". */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly defaultEnabled: boolean;
  readonly options?: O;
  /**
   * It reads no more often than this, and its values are repeated in between; an operator may choose
   * another interval. Its promise may take long then: collections go on without it and deliver the values
   * of the run before. Absent: it runs at every collection.
   */
  readonly intervalMs?: number;
  /** Linux capabilities it needs beyond reading what everybody may read, as in 'CAP_SYS_RAWIO'. */
  readonly capabilities?: readonly string[];
  /** Whether it may be configured several times, each under a name of its own. */
  readonly instances?: boolean;
  /** Says whether this host has what it reads. Has no side effects. */
  readonly probe?: (
    context: Omit<CollectorContext<O>, 'metrics'>,
  ) => ProbeOutcome | Promise<ProbeOutcome>;
  /** What is wrong with options that are each right by themselves. */
  readonly validate?: (options: OptionValues<O>) => readonly OptionProblem[];
  /** Events it emits while it is switched on. */
  readonly events?: EventSource<Omit<CollectorContext<O>, 'metrics'>>;
  /** Makes the metrics and returns the function that fills them. Called again for a new configuration. */
  readonly open: (context: CollectorContext<O>) => Collect | OpenCollector;
}

/** A collector whose options have been checked and can be opened. */
export interface PreparedCollector {
  open(context: Omit<CollectorContext, 'options'>): Collect | OpenCollector;
  /** Null where it cannot tell. */
  readonly probe: ((context: SideContext) => ProbeOutcome | Promise<ProbeOutcome>) | null;
  /** Null where it has no events. */
  readonly watch: ((context: SideContext & WatchContext, emit: Emit) => Promise<void>) | null;
}

/** What probes and event sources work with. */
export type SideContext = Omit<CollectorContext, 'options' | 'metrics'>;

/** A collector as a plugin holds it. */
export interface Collector {
  readonly name: string;
  readonly help: string;
  readonly defaultEnabled: boolean;
  readonly options: Options;
  /** 0 where it runs at every collection. */
  readonly intervalMs: number;
  readonly capabilities: readonly string[];
  readonly instances: boolean;
  readonly canProbe: boolean;
  readonly events: readonly EventDeclaration[];
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
    intervalMs: spec.intervalMs ?? 0,
    capabilities: spec.capabilities ?? [],
    instances: spec.instances ?? false,
    canProbe: spec.probe !== undefined,
    events: spec.events?.declares ?? [],
    prepare(written) {
      const parsed = parseOptions(declared, written);
      if ('problems' in parsed) return parsed;
      const options = parsed.values;
      const problems = spec.validate?.(options) ?? [];
      if (problems.length > 0) return { problems };
      const { open, probe, events } = spec;
      return {
        open: context => open({ ...context, options }),
        probe: probe ? context => probe({ ...context, options }) : null,
        watch: events ? (context, emit) => events.watch({ ...context, options }, emit) : null,
      };
    },
  };
}

/** This host has nothing for the collector: no such hardware, file or kernel feature. */
export class NoDataError extends Error {
  override readonly name: string = 'NoDataError';
}
