// What tools are given: a clock that stands still, random bytes that are the same every time, nobody who
// watches.

import { ManualClock } from '../../src/lifecycle/clock.ts';
import { noProgress, type ProgressSink } from '../../src/tools/progress-sink.ts';
import { BLOCK_START, HOUR } from './test-db.ts';

let byte = 0;

/** A fresh context; its clock says BLOCK_START + 1 d. */
export function toolContext(): {
  clock: ManualClock;
  fillRandom: (bytes: Uint8Array) => void;
  progress: ProgressSink;
  signal: AbortSignal;
} {
  return {
    clock: new ManualClock(BLOCK_START + 24 * HOUR),
    fillRandom: bytes => bytes.fill(byte++),
    progress: noProgress,
    signal: new AbortController().signal,
  };
}

/** A text as a stream of pieces of so many bytes. */
export async function* byteStream(text: string, bytesAtOnce = 1 << 20): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += bytesAtOnce) {
    yield bytes.subarray(at, at + bytesAtOnce);
  }
}
