// What a plugin may have beyond collectors: functions to call, an inventory, its part of an incident
// snapshot. And what the host offers to all of them.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { AttributeValue } from './events.ts';
import type { Files } from './files.ts';
import type { HostApi } from './host-api.ts';
import { type OptionProblem, type Options, type OptionValues, parseOptions } from './options.ts';

/** What the parts of a plugin work with. */
export interface PluginContext {
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The host's store and state; every call is refused as unavailable by hosts that do not serve it. */
  readonly host: HostApi;
}

/** What can be said of whether a collector has something to read here. */
export type ProbeOutcome =
  | { readonly outcome: 'ok' | 'not-applicable' | 'error'; readonly message?: string }
  /** `message` names the right that is missing. */
  | { readonly outcome: 'missing-permission'; readonly message: string };

/** Device or another thing of this host. */
export interface Entity {
  /** Unique in the plugin and stable. */
  readonly id: string;
  /** 'disk', 'dimm', 'nic', … */
  readonly type: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** Where an inventory is told. */
export interface InventoryReport {
  /** There is such a thing, or it has changed. */
  present(entity: Entity): void;
  gone(id: string): void;
  /** All that was there at the start has been told. */
  complete(): void;
}

/** Tells what there is, then what appears, changes and goes, until `signal` aborts. */
export type Inventory = (
  context: PluginContext & { readonly signal: AbortSignal },
  report: InventoryReport,
) => Promise<void>;

/** Hands over a part of a file; parts of one name follow each other. Resolves when more may follow. */
export type WriteBlob = (
  name: string,
  contentType: string,
  data: Uint8Array | string,
) => Promise<void>;

/** Writes a plugin's part of an incident snapshot; what is beyond `bytesMax` is cut off. */
export type Capture = (
  context: PluginContext & {
    readonly trigger: string;
    readonly bytesMax: number;
    readonly signal: AbortSignal;
  },
  write: WriteBlob,
) => Promise<void>;

/** What a function answers with. */
export interface CallOutput {
  /** One value or row of the result; anything JSON can say. Resolves when more may follow. */
  row(value: unknown): Promise<void>;
  /** From 0 to 1. */
  progress(part: number): void;
}

/** A function as its author declares it. */
export interface FunctionSpec<O extends Options> {
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** Who may call it: anybody who may query, or whoever may administer the agent. */
  readonly access: 'public' | 'admin';
  readonly args?: O;
  readonly run: (
    context: PluginContext & { readonly args: OptionValues<O>; readonly signal: AbortSignal },
    output: CallOutput,
  ) => Promise<void> | void;
}

/** A function as a plugin holds it. */
export interface PluginFunction {
  readonly name: string;
  readonly help: string;
  readonly access: 'public' | 'admin';
  readonly args: Options;
  /** Checks arguments as written; a function to run, or what is wrong. */
  prepare(
    written: Readonly<Record<string, unknown>>,
  ):
    | { readonly problems: readonly OptionProblem[] }
    | { run(context: PluginContext & { signal: AbortSignal }, output: CallOutput): Promise<void> };
}

/** Declares a function; the types of its arguments follow from their declaration. */
export function defineFunction<const O extends Options = Record<string, never>>(
  spec: FunctionSpec<O>,
): PluginFunction {
  const declared = (spec.args ?? {}) as O;
  return {
    name: spec.name,
    help: spec.help,
    access: spec.access,
    args: declared,
    prepare(written) {
      const parsed = parseOptions(declared, written);
      if ('problems' in parsed) return parsed;
      return {
        run: async (context, output) => spec.run({ ...context, args: parsed.values }, output),
      };
    },
  };
}
