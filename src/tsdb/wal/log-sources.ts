// The order in which a log is read: the newest checkpoint, then the segments behind it.

import { listCheckpoints, listSegments } from './segments.ts';

/** One file of a log, in reading order. */
export interface LogSource {
  readonly path: string;
  /** The segment's number; inside a checkpoint, the number of the last segment it replaces. */
  readonly segment: number;
  readonly inCheckpoint: boolean;
}

/** The files that hold what is still needed of segments up to and including `to`. */
export function logSources(dir: string, to = Number.POSITIVE_INFINITY): LogSource[] {
  const checkpoint = listCheckpoints(dir)
    .filter(({ index }) => index <= to)
    .at(-1);
  const replaced = checkpoint?.index ?? -1;
  const inCheckpoint = checkpoint ? listSegments(checkpoint.path) : [];
  return [
    ...inCheckpoint.map(({ path }) => ({ path, segment: replaced, inCheckpoint: true })),
    ...listSegments(dir)
      .filter(({ index }) => index > replaced && index <= to)
      .map(({ path, index }) => ({ path, segment: index, inCheckpoint: false })),
  ];
}
