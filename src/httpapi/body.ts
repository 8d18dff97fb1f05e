// Bodies of answers: whole where they are short, streamed in chunks where they are long. While a long one
// is made the event loop gets its turn, and a slow reader is waited for.

import { Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import type { Clock } from '../lifecycle/clock.ts';
import { Slicer } from '../lifecycle/slicer.ts';

const CHUNK_LENGTH = 64 * 1024;
// What fits into the first flight of a TCP connection (ten segments, RFC 6928) arrives no sooner when packed.
const GZIP_BYTES_MIN = 14_600;
// Most of gzip's gain for a fifth of its default cost; the text repeats itself much.
const GZIP = { level: 1, chunkSize: CHUNK_LENGTH };

/** A body as it goes out. */
export interface Body {
  readonly payload: Buffer | Readable;
  readonly isGzip: boolean;
}

export interface BodyOptions {
  readonly acceptEncoding: string | undefined;
  readonly clock: Clock;
  /** Aborts when nobody wants the body any more. */
  readonly signal: AbortSignal;
}

/** Makes a body of pieces of text. */
export async function bodyOf(pieces: Iterable<string>, options: BodyOptions): Promise<Body> {
  const isGzip = acceptsGzip(options.acceptEncoding);
  const slicer = new Slicer(() => options.clock.monotonic(), options.signal);
  const iterator = pieces[Symbol.iterator]();
  const first = nextChunk(iterator);
  if (first.isLast) {
    const whole = Buffer.from(first.text);
    if (!isGzip || whole.length < GZIP_BYTES_MIN) return { payload: whole, isGzip: false };
    // Less than a millisecond: no worker's while.
    return { payload: gzipSync(whole, GZIP), isGzip: true };
  }
  const text = Readable.from(chunks(first.text, iterator, slicer), { objectMode: false });
  if (!isGzip) return { payload: text, isGzip };
  const packed = createGzip(GZIP);
  text.on('error', error => packed.destroy(error));
  packed.on('close', () => text.destroy());
  return { payload: text.pipe(packed), isGzip };
}

async function* chunks(
  first: string,
  iterator: Iterator<string>,
  slicer: Slicer,
): AsyncGenerator<Buffer> {
  yield Buffer.from(first);
  for (let isLast = false; !isLast; ) {
    if (slicer.due) await slicer.pause();
    const chunk = nextChunk(iterator);
    isLast = chunk.isLast;
    if (chunk.text !== '') yield Buffer.from(chunk.text);
  }
}

function nextChunk(iterator: Iterator<string>): { text: string; isLast: boolean } {
  let text = '';
  while (text.length < CHUNK_LENGTH) {
    const next = iterator.next();
    if (next.done) return { text, isLast: true };
    text += next.value;
  }
  return { text, isLast: false };
}

/** True where an Accept-Encoding header allows gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some(part => {
    const [coding = '', ...parameters] = part.split(';').map(text => text.trim().toLowerCase());
    if (coding !== 'gzip' && coding !== '*') return false;
    return !parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter));
  });
}
