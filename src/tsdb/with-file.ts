// A file that is open for one piece of work and closed after it, whatever happens.

import { type FileHandle, open } from 'node:fs/promises';

/** Opens, works, closes; an error of the work is the one that is thrown. */
export async function withFile<T>(
  path: string,
  flags: string,
  work: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(path, flags);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
