// Events as an author emits them: what happened, when, to what. They reach the host at least once: what it
// has not acknowledged is repeated, and a source resumes where the last kept event left off.

/** How bad an event is. */
export type Severity = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** OpenTelemetry's severity numbers. */
export const SEVERITY_NUMBERS: Readonly<Record<Severity, number>> = {
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
  fatal: 21,
};

/** An event that may be emitted. */
export interface EventDeclaration {
  /** Low in cardinality, as in 'oom.kill'. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly severity: Severity;
  /** Type of the condition it changes, if any, and what ends that condition, in words. */
  readonly condition?: string;
  readonly clears?: string;
}

/** What a value of an attribute may be. */
export type AttributeValue = string | number | boolean;

/** Something that happened. */
export interface PluginEvent {
  /** One of the declared names. */
  readonly name: string;
  /** When, Unix ms; the time of emitting where it is absent. */
  readonly time?: number;
  /** The declared severity where it is absent. */
  readonly severity?: Severity;
  /** What it happened to, as in { type: 'disk', key: 'wwn-0x5000' }. */
  readonly subject?: { readonly type: string; readonly key: string; readonly display?: string };
  /** CamelCase, for machines. */
  readonly reason?: string;
  /** One sentence, for people. */
  readonly message: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly condition?: { readonly type: string; readonly status: 'true' | 'false' | 'unknown' };
  /** The line it was read from. */
  readonly raw?: string;
  /** How many alike this one stands for. */
  readonly count?: number;
  /** Where its source resumes after it, in the source's own words. */
  readonly cursor?: string;
}

/**
 * Hands an event over. Resolves when there is room for the next one, so a source that awaits it loses
 * nothing however slow the host is; one that does not may lose events, which is counted and told.
 */
export type Emit = (event: PluginEvent) => Promise<void>;

/** What a source of events is given beside the context it works in. */
export interface WatchContext {
  /** Cursor of its last event that the host has kept; '' where there is none. */
  readonly resumeAfter: string;
  /** Aborts when it is switched off or the plugin ends. */
  readonly signal: AbortSignal;
}

/** A source of events over a context `C`. */
export interface EventSource<C> {
  readonly declares: readonly EventDeclaration[];
  /** Emits events until `signal` aborts. One that returns or throws is started again a while later. */
  readonly watch: (context: C & WatchContext, emit: Emit) => Promise<void>;
}
