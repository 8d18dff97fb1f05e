// Bodies of answers: whole where they are short, streamed in chunks where they are long. While a long one
// is made the event loop gets its turn, and a slow reader is waited for.

import { Readable } from 'node:stream';
import type { Clock } from '../lifecycle/clock.ts';
import { Slicer } from '../lifecycle/slicer.ts';
import { BodyChunk, type Piece } from './body-chunk.ts';
import type { Packing } from './encoding.ts';
import { packed, packer } from './packing.ts';
import type { BodyLimit } from './route.ts';

const CHUNK_BYTES = 1024 * 1024;
// What fits into the first flight of a TCP connection (ten segments, RFC 6928) arrives no sooner when packed.
const PACKED_BYTES_MIN = 14_600;

/** A body as it goes out. */
export interface Body {
  readonly payload: Buffer | Readable;
  /** Null where it is plain. */
  readonly packing: Packing | null;
}

export interface BodyOptions {
  /** How the body may go out packed; null for plain. */
  readonly packing: Packing | null;
  readonly clock: Clock;
  /** Aborts when nobody wants the body any more. */
  readonly signal: AbortSignal;
  readonly limit?: BodyLimit;
}

/**
 * Makes a body of pieces of text. Throws the limit's error where it is too large; where that shows only once
 * a part has gone out, the body ends with the error, and the connection with it.
 */
export async function bodyOf(pieces: Iterable<Piece>, options: BodyOptions): Promise<Body> {
  const { packing } = options;
  const maker = new ChunkMaker(pieces, options);
  const first = maker.next();
  if (maker.isDone) {
    if (packing === null || first.length < PACKED_BYTES_MIN)
      return { payload: first.copy(), packing: null };
    // Four milliseconds for the longest: another thread would take a copy, and its turn.
    return { payload: packed(first.bytes, packing), packing };
  }
  const text = Readable.from(chunks(first.copy(), maker), { objectMode: false });
  if (packing === null) return { payload: text, packing };
  const through = packer(packing);
  text.on('error', error => through.destroy(error));
  through.on('close', () => text.destroy());
  return { payload: text.pipe(through), packing };
}

async function* chunks(first: Buffer, maker: ChunkMaker): AsyncGenerator<Buffer> {
  yield first;
  while (!maker.isDone) {
    await maker.pause();
    const chunk = maker.next();
    if (chunk.length > 0) yield chunk.copy();
  }
}

/** Gathers pieces into chunks, each within one slice of time. */
class ChunkMaker {
  isDone = false;
  readonly #pieces: Iterator<Piece>;
  readonly #slicer: Slicer;
  readonly #limit: BodyLimit | undefined;
  #bytes = 0;

  constructor(pieces: Iterable<Piece>, options: BodyOptions) {
    this.#limit = options.limit;
    this.#pieces = pieces[Symbol.iterator]();
    this.#slicer = new Slicer(() => options.clock.monotonic(), options.signal);
  }

  /** The next chunk; shorter than others where making it took long. */
  next(): BodyChunk {
    const chunk = new BodyChunk();
    while (chunk.length < CHUNK_BYTES) {
      const piece = this.#pieces.next();
      if (piece.done) {
        this.isDone = true;
        break;
      }
      chunk.add(piece.value);
      if (this.#slicer.due) break;
    }
    this.#bytes += chunk.length;
    if (this.#limit && this.#bytes > this.#limit.bytesMax) throw this.#limit.reached();
    return chunk;
  }

  /** Gives way where it is time to. */
  async pause(): Promise<void> {
    if (this.#slicer.due) await this.#slicer.pause();
  }
}
