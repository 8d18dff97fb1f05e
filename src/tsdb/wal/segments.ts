// Names in a log directory: segments are eight-digit numbers, checkpoints are directories of segments
// named after the last segment they replace.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SEGMENT = /^\d{8,}$/;
const CHECKPOINT = /^checkpoint\.(\d{8,})$/;

/** One segment file. */
export interface Segment {
  readonly index: number;
  readonly path: string;
  readonly bytes: number;
}

/** A checkpoint holds what is still needed of all segments up to and including `index`. */
export interface CheckpointDir {
  readonly index: number;
  readonly path: string;
}

/** A segment's path inside the log directory. */
export function segmentPath(dir: string, index: number): string {
  return join(dir, String(index).padStart(8, '0'));
}

/** A checkpoint's path inside the log directory. */
export function checkpointPath(dir: string, index: number): string {
  return join(dir, `checkpoint.${String(index).padStart(8, '0')}`);
}

/** The segments of a directory in order; none where it does not exist. */
export function listSegments(dir: string): Segment[] {
  return names(dir)
    .filter(name => SEGMENT.test(name))
    .map(name => ({ index: Number(name), path: join(dir, name) }))
    .sort((a, b) => a.index - b.index)
    .map(segment => ({ ...segment, bytes: statSync(segment.path).size }));
}

/** The checkpoints of a log directory, oldest first. Unfinished ones are not among them. */
export function listCheckpoints(dir: string): CheckpointDir[] {
  return names(dir)
    .flatMap(name => {
      const digits = CHECKPOINT.exec(name)?.[1];
      return digits === undefined ? [] : [{ index: Number(digits), path: join(dir, name) }];
    })
    .sort((a, b) => a.index - b.index);
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
