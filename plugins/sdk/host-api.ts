// What a plugin may ask of its host.

import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { LogFields, LogLevel } from '../../src/telemetry/logger.ts';

/** A value of an instant query. */
export interface HostSample {
  /** The metric's name included; none for a scalar. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Unix ms. */
  readonly time: number;
}

/** The host as a plugin sees it. Every call rejects where the host does not serve it, or in 10 s. */
export interface HostApi {
  /** An instant query in PromQL over what this host keeps; `time` (Unix ms) is now where it is absent. */
  query(text: string, time?: number): Promise<readonly HostSample[]>;
  /** One line of the agent's log. */
  log(level: LogLevel, message: string, fields?: LogFields): Promise<void>;
  /** Small durable state: at most 64 KiB a value and 1 MiB a plugin. */
  readonly state: {
    /** Null where the key was never put. */
    get(key: string): Promise<Uint8Array | null>;
    /** Resolves once it survives a crash; null deletes. */
    put(key: string, value: Uint8Array | string | null): Promise<void>;
  };
}

function absent(): Promise<never> {
  return Promise.reject(
    new OutpostError('unavailable', 'ask the host: this host serves no queries and keeps no state'),
  );
}

/** The host that offers nothing. */
export const ABSENT_HOST: HostApi = {
  query: absent,
  log: absent,
  state: { get: absent, put: absent },
};
