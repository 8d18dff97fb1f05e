// Snapshots of blocks. Files of a block never change in place, so a hard link is a copy that costs nothing.

import { copyFile, link, mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { syncDirectory } from './wal/sync-directory.ts';
import { withFile } from './with-file.ts';

// Another file system, or one without hard links.
const NO_LINKS = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'];

/** How a file is linked; tests put a failing one here. */
export type LinkFile = (from: string, to: string) => Promise<void>;

/**
 * Puts each block directory under its own name into `targetDir`, which is created; it must not hold one of
 * them yet. Resolves when the snapshot would survive a power cut. The blocks must stay meanwhile.
 */
export async function snapshotBlocks(
  blockDirs: readonly string[],
  targetDir: string,
  linkFile: LinkFile = link,
): Promise<void> {
  await mkdir(targetDir, { recursive: true });
  for (const dir of blockDirs) await snapshotTree(dir, join(targetDir, basename(dir)), linkFile);
  await syncDirectory(targetDir);
}

async function snapshotTree(from: string, to: string, linkFile: LinkFile): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await snapshotTree(source, target, linkFile);
    else await snapshotFile(source, target, linkFile);
  }
  await syncDirectory(to);
}

async function snapshotFile(from: string, to: string, linkFile: LinkFile): Promise<void> {
  try {
    await linkFile(from, to);
  } catch (error) {
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(from, to);
    await withFile(to, 'r+', copy => copy.sync());
  }
}
