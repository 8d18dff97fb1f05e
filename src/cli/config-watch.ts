// Reads the configuration again when its files change, for who asks for that. It looks rather than listens:
// editors, Kubernetes and configuration management replace files in ways no one notification tells.

import { statSync } from 'node:fs';
import { type Clock, sleep } from '../lifecycle/clock.ts';
import type { Actor } from '../lifecycle/run-group.ts';
import type { Reloader } from './reload.ts';

/** How often is looked. */
export const CONFIG_WATCH_MS = 5_000;

export interface ConfigWatchOptions {
  /** The files there are now; a failure to list them counts as a state too. */
  readonly files: () => readonly string[];
  readonly reloader: Pick<Reloader<object>, 'reload'>;
  readonly clock: Clock;
}

/** Looks every few seconds and reloads when something has changed and then stayed the same once. */
export function configWatch({ files, reloader, clock }: ConfigWatchOptions): Actor {
  return {
    name: 'configuration watch',
    async run(signal) {
      let loaded = stateOf(files);
      let last = loaded;
      while (!signal.aborted) {
        try {
          await sleep(clock, CONFIG_WATCH_MS, signal);
        } catch {
          return;
        }
        const now = stateOf(files);
        // A file that is being written is read when it is whole.
        if (now !== loaded && now === last) {
          loaded = now;
          // A failure is logged by the reloader.
          await reloader.reload().catch(() => {});
        }
        last = now;
      }
    },
  };
}

function stateOf(files: () => readonly string[]): string {
  try {
    return files().map(stamp).join('\n');
  } catch (error) {
    return String(error);
  }
}

function stamp(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${path} ${mtimeMs} ${size} ${ino}`;
  } catch {
    return `${path} absent`;
  }
}
