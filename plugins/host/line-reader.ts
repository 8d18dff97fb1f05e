// Cuts a stream of bytes into lines, with a bound on what is kept of one.

/** Longest line; what is longer is cut into several. */
export const LINE_BYTES_MAX = 64 * 1024;

const NEWLINE = 10;

/** Call `feed` with each chunk; `onLine` gets each line without its end. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  feed(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const room = LINE_BYTES_MAX - this.#pendingBytes;
      const newline = chunk.indexOf(NEWLINE, from);
      const end = newline === -1 ? chunk.length : newline;
      if (end - from >= room) {
        this.#keep(chunk.subarray(from, from + room));
        this.#flush();
        from += room;
      } else if (newline === -1) {
        if (end > from) this.#keep(chunk.subarray(from));
        return;
      } else {
        this.#keep(chunk.subarray(from, newline));
        this.#flush();
        from = newline + 1;
      }
    }
  }

  /** Hands out what is left: the stream has ended. */
  end(): void {
    if (this.#pendingBytes > 0) this.#flush();
  }

  #keep(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #flush(): void {
    const line = Buffer.concat(this.#pending).toString('utf8');
    this.#pending.length = 0;
    this.#pendingBytes = 0;
    this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
