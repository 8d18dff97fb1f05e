// How much room the file system under a data directory has, and how much of it is kept free for the log.

import { statfs } from 'node:fs/promises';
import type { BlockMeta } from './block/meta.ts';
import type { DbSettings } from './db-options.ts';
import type { DbParts } from './db-parts.ts';

/** Room on a file system in bytes. */
export interface DiskSpace {
  /** What this process may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Asks a file system for its room; rejects with the system's error. */
export type ReadDiskSpace = (dir: string) => Promise<DiskSpace>;

/** The host's file systems. */
export const nodeDiskSpace: ReadDiskSpace = async dir => {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
};

const RESERVE_BYTES = 128 * 1024 * 1024;
// A file system that small is meant to be filled.
const RESERVE_SHARE = 1 / 20;

/** Bytes to keep free; `wanted` null stands for the default: 128 MiB, but no more than a twentieth of it all. */
export function reserveBytes(wanted: number | null, { totalBytes }: DiskSpace): number {
  return wanted ?? Math.min(RESERVE_BYTES, Math.floor(totalBytes * RESERVE_SHARE));
}

/** True where so many bytes more leave the reserve alone; also where nothing is known of the disk. */
export async function hasRoomFor(
  bytes: number,
  dir: string,
  { readDiskSpace, minFreeBytes }: Pick<DbSettings, 'readDiskSpace' | 'minFreeBytes'>,
): Promise<boolean> {
  const space = await readDiskSpace(dir).catch(() => null);
  return space === null || space.freeBytes - bytes >= reserveBytes(minFreeBytes, space);
}

/** As `hasRoomFor`, for the blocks that are to be joined: what comes out is no larger than they are. */
export async function hasRoomForAll(
  plan: readonly BlockMeta[],
  { dir, settings, store }: DbParts,
): Promise<boolean> {
  const sources = store.blocks.filter(({ meta }) => plan.includes(meta));
  const bytes = sources.reduce((sum, block) => sum + block.sizeBytes, 0);
  if (await hasRoomFor(bytes, dir, settings)) return true;
  settings.logger.warn('blocks not compacted: the disk has no room for the result', { bytes });
  return false;
}
