// Makes a damaged segment whole again, so that other readers of the directory can use it too: a torn end
// is cut off, and a segment with holes is written anew from its good records. Damaged originals are set
// aside as `*.corrupt`.

import { linkSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { Slicer } from '../../lifecycle/slicer.ts';
import { FrameBuffer, packRecord } from './framing.ts';
import { type LogFs, nodeLogFs, writeFully } from './log-fs.ts';
import { readSegment, type SegmentReading } from './log-reader.ts';
import { syncDirectory } from './sync-directory.ts';

/** Originals kept; the oldest go first. */
const SET_ASIDE_MAX = 4;
const FLUSH_BYTES = 1024 * 1024;

/** What a repair did. */
export interface Repair {
  /** Bytes that are no longer in the segment. */
  readonly removedBytes: number;
  /** Where the damaged original lies, null where only an unfinished end was cut off. */
  readonly setAside: string | null;
}

/** Repairs one segment according to its reading. Throws `unavailable` where the disk does not allow it. */
export async function repairSegment(
  path: string,
  reading: SegmentReading,
  slicer: Slicer,
  fs: LogFs = nodeLogFs,
): Promise<Repair> {
  try {
    const [first] = reading.damages;
    if (reading.damages.length === 1 && first?.kind === 'torn') {
      truncateSync(path, reading.goodEnd);
      return { removedBytes: reading.fileBytes - reading.goodEnd, setAside: null };
    }
    const copy = `${path}.repair`;
    const bytes = await copyRecords(path, copy, { slicer, fs });
    const setAside = `${path}.corrupt`;
    rmSync(setAside, { force: true });
    linkSync(path, setAside);
    renameSync(copy, path);
    await syncDirectory(dirname(path));
    dropOldest(dirname(path));
    return { removedBytes: reading.fileBytes - bytes, setAside };
  } catch (cause) {
    rmSync(`${path}.repair`, { force: true });
    throw new OutpostError('unavailable', `repair the log segment ${path}`, { cause });
  }
}

async function copyRecords(
  source: string,
  target: string,
  { slicer, fs }: { slicer: Slicer; fs: LogFs },
): Promise<number> {
  rmSync(target, { force: true });
  const fd = fs.open(target);
  const frames = new FrameBuffer();
  let position = 0;
  const flush = (): void => {
    const bytes = frames.bytes();
    writeFully(fs, fd, bytes, position);
    position += bytes.length;
    frames.reset(position);
  };
  try {
    await readSegment(
      source,
      record => {
        frames.add(packRecord(record, true));
        if (frames.bytes().length >= FLUSH_BYTES) flush();
      },
      slicer,
    );
    flush();
    await fs.sync(fd);
  } finally {
    fs.close(fd);
  }
  return position;
}

function dropOldest(dir: string): void {
  const names = readdirSync(dir).filter(name => name.endsWith('.corrupt'));
  const paths = names.map(name => join(dir, name));
  paths.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of paths.slice(SET_ASIDE_MAX)) rmSync(path, { force: true });
}
