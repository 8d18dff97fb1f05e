// Where stored bytes come from. Readers plan the ranges they need, fetch them in one call, and decode
// synchronously; whether a file or an object store answers is the source's business.

/** Bytes from `start` up to but not including `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** An immutable file or object. */
export interface ByteSource {
  /** What error texts call it: a path or an object's name. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * One view for each range, in the order given. Ranges may touch, overlap and come in any order;
   * neighbours are fetched together. The views belong to the caller but may share memory. Throws
   * `corrupt` for a range beyond the size, and the signal's reason once it has aborted.
   */
  read(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<readonly Uint8Array[]>;
  /** Releases the source when running reads are done; later reads throw `unavailable`. */
  close(): Promise<void>;
}

/** One fetch that serves several ranges. */
export interface PlannedRead {
  start: number;
  end: number;
  /** Indices of the ranges it serves. */
  readonly serves: number[];
}

/** What a source's fetches cost decides how far ranges are merged. */
export interface ReadPlanLimits {
  /** Bytes it is cheaper to read and throw away than to fetch twice. */
  readonly gapBytesMax: number;
  /** A fetch grows no further by merging. A single longer range is still one fetch. */
  readonly readBytesMax: number;
}

/** Merges ranges into fetches, ordered by start. Every range lies within exactly one fetch. */
export function planReads(ranges: readonly ByteRange[], limits: ReadPlanLimits): PlannedRead[] {
  const order = ranges.map((_, i) => i);
  if (ranges.some((range, i) => i > 0 && range.start < ranges[i - 1]!.start)) {
    order.sort((a, b) => ranges[a]!.start - ranges[b]!.start);
  }
  const reads: PlannedRead[] = [];
  let last: PlannedRead | undefined;
  for (const i of order) {
    const { start, end } = ranges[i]!;
    const near = last !== undefined && start <= last.end + limits.gapBytesMax;
    if (last && (end <= last.end || (near && end - last.start <= limits.readBytesMax))) {
      last.end = Math.max(last.end, end);
      last.serves.push(i);
    } else {
      last = { start, end, serves: [i] };
      reads.push(last);
    }
  }
  return reads;
}
