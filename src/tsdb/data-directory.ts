// The data directory before anything is in it: made where it is absent, and checked, so that what is wrong
// with a path is told in words and not found out by the first write.

import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';

/** Makes the directory and its parents. Throws `unavailable` where it cannot be written. */
export function makeDataDirectory(dir: string): void {
  try {
    // Node's recursive mkdir never returns where a file system such as /proc denies that a parent exists.
    const missing: string[] = [];
    for (let at = resolve(dir); !existsSync(at); at = dirname(at)) missing.push(at);
    for (const path of missing.reverse()) mkdirSync(path);
    if (!statSync(dir).isDirectory()) {
      throw new OutpostError('unavailable', `open data directory ${dir}: it is a file`);
    }
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw directoryProblem(dir, cause);
  }
}

/** Says in words what the disk refuses; what is not an error of the system is left alone. */
export function diskProblem(attempted: string, cause: unknown): unknown {
  if (cause instanceof OutpostError) return cause;
  const { code } = (cause ?? {}) as { code?: unknown };
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return cause;
  return new OutpostError('unavailable', `${attempted}: ${systemReason(cause)}`, { cause });
}

/** Names the directory in an error of the system; errors that have words already are left alone. */
export function directoryProblem(dir: string, cause: unknown): unknown {
  if (cause instanceof OutpostError) return cause;
  if (typeof (cause as { errno?: unknown } | null)?.errno !== 'number') return cause;
  const message = `open data directory ${dir}: ${systemReason(cause)}; mend it or choose another directory`;
  return new OutpostError('unavailable', message, { cause });
}
