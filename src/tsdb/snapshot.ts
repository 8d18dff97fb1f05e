// Snapshots of blocks. Files of a block never change in place, so a hard link is a copy that costs nothing.

import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { OutpostError } from '../lifecycle/errors.ts';
import { isCold } from './cold/any-block.ts';
import { thawInto } from './cold-blocks.ts';
import type { DbParts } from './db-parts.ts';
import { writeHeadBlock } from './head-blocks.ts';
import { syncDirectory } from './wal/sync-directory.ts';
import { withFile } from './with-file.ts';

// Another file system, or one without hard links.
const NO_LINKS = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'];

/** How a file is linked; tests put a failing one here. */
export type LinkFile = (from: string, to: string) => Promise<void>;

/**
 * Puts a copy of everything under `snapshots/<name>` of the database, in the form that Prometheus opens, and
 * returns its path. `skipHead` leaves out what is not in blocks yet. Blocks must not change meanwhile. Throws
 * `bad-data` where the name is taken.
 */
export async function writeSnapshot(
  parts: DbParts,
  name: string,
  { skipHead }: { readonly skipHead: boolean },
): Promise<string> {
  const { dir, head, store, settings, ulids } = parts;
  const target = join(dir, 'snapshots', name);
  if (existsSync(target)) {
    throw new OutpostError('bad-data', `write a snapshot: it exists already: ${target}`);
  }
  const standard = store.blocks.filter(block => !isCold(block));
  await snapshotBlocks(
    standard.map(block => block.dir),
    target,
  );
  await thawInto(parts, target);
  if (!skipHead && Number.isFinite(head.oldestTime)) {
    const range = { minTime: head.oldestTime, maxTime: head.newestTime + 1 };
    const monotonic = (): number => settings.clock.monotonic();
    await writeHeadBlock(head, target, range, { ulid: ulids.next(), monotonic });
  }
  return target;
}

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
