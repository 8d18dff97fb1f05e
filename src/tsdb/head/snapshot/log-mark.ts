// Which part of the log a snapshot stands for. A log that is not the one the snapshot was taken beside, or of
// which that part was changed since, does not match.

import { listCheckpoints, listSegments } from '../../wal/segments.ts';

/** The log up to, not including, segment `end`. */
export interface LogMark {
  /** Number of the newest checkpoint, −1 without one. */
  readonly checkpoint: number;
  /** The first segment that is not part of it. */
  readonly end: number;
  /** Segments between checkpoint and end, and their bytes. */
  readonly segments: number;
  readonly bytes: number;
}

/** The mark of everything that is in the log now. Nobody may be writing to it. */
export function markLog(dir: string): LogMark {
  const last = listSegments(dir).at(-1);
  // A writer that finds an empty segment at the end goes on in it.
  const end = last ? (last.bytes === 0 ? last.index : last.index + 1) : 0;
  return markBefore(dir, end);
}

/** Whether the log's part that a mark stands for is as it was. */
export function isMarked(dir: string, mark: LogMark): boolean {
  const now = markBefore(dir, mark.end);
  return (
    now.checkpoint === mark.checkpoint && now.segments === mark.segments && now.bytes === mark.bytes
  );
}

function markBefore(dir: string, end: number): LogMark {
  const checkpoint = listCheckpoints(dir).at(-1)?.index ?? -1;
  const within = listSegments(dir).filter(({ index }) => index > checkpoint && index < end);
  const bytes = within.reduce((sum, segment) => sum + segment.bytes, 0);
  return { checkpoint, end, segments: within.length, bytes };
}
