// Mistakes in the configuration that only a plugin could find, told with the place in the file.

import { RejectedKeys } from '../../plugins/host/rejected-keys.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { placeOfKeys } from './config-file.ts';

/** Keys that tell a collector of a plugin: plugins, its name, collectors, its name. */
const COLLECTOR_KEYS = 4;

/**
 * The error with file, line and column before it, where they can be told: not of what stands in a manifest.
 * `plugins` are the names in the file; several of them can share one process, which has a name of its own.
 */
export function placedMistake(
  error: unknown,
  file: string | undefined,
  plugins: readonly string[],
): unknown {
  if (!(error instanceof OutpostError) || !(error.cause instanceof RejectedKeys)) return error;
  if (file === undefined) return error;
  const [root = '', rejecting = '', ...rest] = error.cause.keys;
  for (const plugin of [rejecting, ...plugins]) {
    const least = plugin === rejecting ? 2 : COLLECTOR_KEYS;
    const place = placeOfKeys(file, [root, plugin, ...rest], least);
    if (place === null) continue;
    const { code, cause } = error;
    const message = error.message.replace(`${root}.${rejecting}.`, `${root}.${plugin}.`);
    return new OutpostError(code, `${place}: ${message}`, { cause });
  }
  return error;
}
