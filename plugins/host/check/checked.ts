// What the rules of the check work with.

import type { Clock } from '../../../src/lifecycle/clock.ts';
import type { Configuration, Description, PluginConnection } from '../connection.ts';
import type { CheckSink } from './check-sink.ts';
import type { CheckedProcess } from './checked-process.ts';

/** Where rules report. */
export interface Checker {
  /** Runs a rule: what it returns was seen, what it throws is wrong; Advice and Skipped are neither. */
  rule(name: string, check: () => Promise<string> | string): Promise<boolean>;
}

/** A plugin under check, described and not yet configured. */
export interface Checked {
  readonly process: CheckedProcess;
  readonly connection: PluginConnection;
  readonly description: Description;
  readonly configuration: Configuration;
  readonly sink: CheckSink;
  readonly clock: Clock;
}
