// Whether a plugin's executable is what its operator means: nobody but root and the agent's user could have
// put another in its place, and its digest is the one that was written down.

import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { OutpostError } from '../../src/lifecycle/errors.ts';

const GROUP_WRITABLE = 0o020;
const OTHER_WRITABLE = 0o002;
const STICKY = 0o1000;
const ROOT = 0;

/** What is looked at of a file or directory. */
export type Ownership = Pick<Stats, 'uid' | 'gid' | 'mode'>;

/** Reads the ownership of a path; replaced in tests. */
export type ReadOwnership = (path: string) => Ownership & { isDirectory(): boolean };

/** What somebody else could change, as a sentence with the mend; null where nobody could. */
export function ownershipProblem(
  path: string,
  agentUid: number,
  read: ReadOwnership = lstatSync,
): string | null {
  for (const each of parentsOf(path)) {
    const stats = read(each);
    if (stats.uid !== ROOT && stats.uid !== agentUid) {
      return `${each} belongs to user ${stats.uid}, who could put another program there (chown root ${each})`;
    }
    // Root's own group is as good as root.
    const byGroup = (stats.mode & GROUP_WRITABLE) !== 0 && stats.gid !== ROOT;
    const byOthers = (stats.mode & OTHER_WRITABLE) !== 0;
    // In a sticky directory such as /tmp nobody can replace what is another's.
    const isSticky = stats.isDirectory() && (stats.mode & STICKY) !== 0;
    if ((byGroup || byOthers) && !isSticky) {
      const mend = `chmod ${byOthers ? 'o-w' : 'g-w'} ${each}`;
      return `${each} can be written by ${byOthers ? 'everybody' : 'its group'} (${mend})`;
    }
  }
  return null;
}

/** The file and every directory above it, the links on the way resolved. */
function parentsOf(path: string): string[] {
  const found = [path];
  for (let at = path; at !== dirname(at); ) {
    at = dirname(at);
    found.push(at);
  }
  return found;
}

export interface VerifyOptions {
  /** Further files that are executed, such as a script that comes first among an interpreter's arguments. */
  readonly scripts?: readonly string[];
  /** Lower-case or upper-case hexadecimal. */
  readonly sha256?: string;
  /** What to do where others could change the file; root refuses by itself, others warn. */
  readonly policy?: 'refuse' | 'warn';
  readonly agentUid: number;
  readonly onWarning: (message: string) => void;
  readonly read?: ReadOwnership;
}

/** Checks the file at an absolute path. Rejects with `bad-data` where it must not be started. */
export async function verifyExecutable(path: string, options: VerifyOptions): Promise<void> {
  const { sha256, agentUid, onWarning, scripts = [] } = options;
  const real = realpathSync(path);
  const problem = [path, ...scripts]
    .map(file => fileProblem(file, options))
    .find(found => found !== null);
  if (problem !== undefined) {
    const policy = options.policy ?? (agentUid === ROOT ? 'refuse' : 'warn');
    if (policy === 'refuse') throw new OutpostError('bad-data', problem);
    onWarning(problem);
  }
  if (sha256 === undefined) return;
  const digest = await digestOf(real);
  if (digest !== sha256.toLowerCase()) {
    throw new OutpostError(
      'bad-data',
      `its digest is not the one configured; sha256 is ${digest}, expected ${sha256.toLowerCase()}: ${real}`,
    );
  }
}

function fileProblem(path: string, { agentUid, read }: VerifyOptions): string | null {
  const real = realpathSync(path);
  const problem = ownershipProblem(real, agentUid, read);
  // A link lies where somebody could point it elsewhere, so its own directory counts too.
  if (problem !== null || real === path) return problem;
  return ownershipProblem(dirname(path), agentUid, read);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
