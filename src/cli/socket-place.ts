// Where an agent's plugins have their sockets. Paths of unix sockets are short, and the place must be the same
// at the next start with the same data directory, which removes what a killed agent left.

import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Longest directory that leaves room for a plugin's name and number within the 107 bytes of a socket's path. */
const DIRECTORY_BYTES_MAX = 57;
const SYSTEM_RUNTIME = '/run';

/** Two directories: the agent's own, and one that other users can get to. */
export interface SocketPlace {
  readonly socketDir: string;
  readonly sharedSocketDir: string;
}

/** Decides and makes nothing. `runtimeDir` is $XDG_RUNTIME_DIR. */
export function socketPlace(dataDir: string, runtimeDir: string | undefined): SocketPlace {
  const data = resolve(dataDir);
  const inData = join(data, 'run');
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 12);
  const name = `outpost-${hash}`;
  const elsewhere = runtimeDir ? join(runtimeDir, name) : join(tmpdir(), name);
  const fits = (path: string): boolean => Buffer.byteLength(path) <= DIRECTORY_BYTES_MAX;
  return {
    socketDir: [inData, elsewhere].find(fits) ?? join('/tmp', name),
    sharedSocketDir: join(isWritable(SYSTEM_RUNTIME) ? SYSTEM_RUNTIME : '/tmp', `${name}-users`),
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
