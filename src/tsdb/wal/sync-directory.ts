// A new or renamed file survives a power cut only once its directory has been flushed too.

import { withFile } from '../with-file.ts';

/** Flushes a directory's entries to the device. */
export async function syncDirectory(dir: string): Promise<void> {
  await withFile(dir, 'r', directory => directory.sync());
}
