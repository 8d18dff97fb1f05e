// A new or renamed file survives a power cut only once its directory has been flushed too.

import { open } from 'node:fs/promises';

/** Flushes a directory's entries to the device. */
export async function syncDirectory(dir: string): Promise<void> {
  await using handle = await open(dir, 'r');
  await handle.sync();
}
