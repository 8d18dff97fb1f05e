// Reading the configuration again while the process runs. What can change at once does; what cannot is named,
// so that nobody takes it for done. A file with mistakes changes nothing.

import type { Notifications } from '../httpapi/notifications.ts';
import type { LifecycleOperations } from '../httpapi/sources.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Registry } from '../telemetry/metrics.ts';
import type { ReloadState } from './status.ts';

const FAILED = 'Configuration reload has failed.';
const RESTART = 'The configuration file has changes that need a restart.';

export interface ReloaderOptions<Config extends object> {
  /** Reads and checks the file; null where there is none. Throws `bad-data` with line and column. */
  readonly read: (() => Config) | null;
  /** What the process was started with. */
  readonly config: Config;
  /** Dotted keys that take effect at once. */
  readonly live: readonly string[];
  /** Makes the live keys take effect. Throws or rejects with `bad-data` where nothing is changed. */
  apply(config: Config): void | Promise<void>;
  /** Unix ms. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly notifications: Notifications;
}

/** The configuration of a running process. */
export class Reloader<Config extends object> implements ReloadState {
  succeeded = true;
  time: number;
  readonly #options: ReloaderOptions<Config>;
  #current: Config;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ReloaderOptions<Config>) {
    this.#options = options;
    this.#current = options.config;
    this.time = options.now();
    const { registry } = options;
    const observed = (name: string, help: string, read: () => number): void =>
      registry.observed({ name: `prometheus_config_last_reload_${name}`, help }, 'gauge', read);
    observed('successful', 'Whether the last reading of the configuration succeeded.', () =>
      Number(this.succeeded),
    );
    observed(
      'success_timestamp_seconds',
      'When the configuration was last read without mistakes, Unix s.',
      () => this.time / 1000,
    );
  }

  config(): Config {
    return this.#current;
  }

  /** Reads the file again; says what was applied and what needs a restart. Throws `bad-data`. */
  reload(): Promise<string> {
    const turn = this.#turn.catch(() => {}).then(() => this.#reload());
    this.#turn = turn;
    return turn;
  }

  async #reload(): Promise<string> {
    const { read, apply, live, config: started, notifications, logger, now } = this.#options;
    if (!read)
      return 'there is no configuration file, so nothing was read; --config.file names one\n';
    try {
      const next = read();
      await apply(next);
      const applied = changedKeys(this.#current, next).filter(key => isUnder(key, live));
      const restart = changedKeys(started, next).filter(key => !isUnder(key, live));
      this.#current = next;
      this.succeeded = true;
      this.time = now();
      notifications.end(FAILED);
      if (restart.length > 0) notifications.begin(RESTART);
      else notifications.end(RESTART);
      logger.info('configuration read again', {
        applied: applied.join(' ') || 'nothing',
        restart: restart.join(' ') || 'nothing',
      });
      return report(applied, restart);
    } catch (error) {
      this.succeeded = false;
      notifications.begin(FAILED);
      logger.error('configuration not read, the running one stays', {
        err: OutpostError.from(error).message,
      });
      throw error;
    }
  }
}

function report(applied: readonly string[], restart: readonly string[]): string {
  const done = `applied: ${applied.join(', ') || 'nothing has changed'}\n`;
  return restart.length === 0 ? done : `${done}needs a restart: ${restart.join(', ')}\n`;
}

function isUnder(key: string, parents: readonly string[]): boolean {
  return parents.some(parent => key === parent || key.startsWith(`${parent}.`));
}

/** Dotted keys of the values that differ, sorted. */
function changedKeys(before: object, after: object): string[] {
  const old = flat(before);
  const young = flat(after);
  const keys = new Set([...old.keys(), ...young.keys()]);
  return [...keys].filter(key => old.get(key) !== young.get(key)).sort();
}

function flat(value: unknown, path = '', out = new Map<string, string>()): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, child] of Object.entries(value)) {
      flat(child, path === '' ? key : `${path}.${key}`, out);
    }
  } else if (value !== undefined) out.set(path, JSON.stringify(value));
  return out;
}

/** The operations for the HTTP API. `quit` ends the process as a signal does. */
export function lifecycleOperations(
  reloader: Pick<Reloader<object>, 'reload'>,
): LifecycleOperations {
  return {
    reload: () => reloader.reload(),
    quit: () => void setImmediate(() => process.kill(process.pid, 'SIGTERM')),
  };
}

/** Reloads on SIGHUP too, which would end the process otherwise. */
export function reloadOnSignal(reloader: Pick<Reloader<object>, 'reload'>): void {
  // A failure is logged by the reloader.
  process.on('SIGHUP', () => void reloader.reload().catch(() => {}));
}
