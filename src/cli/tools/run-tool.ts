// What every tool has: output that waits for its reader, progress on the error stream, an end at the first
// signal, and an exit code: 0 done, 1 failed or found wrong, 2 wrong usage.

import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { type Clock, systemClock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { Progress } from '../progress.ts';

/** What a tool is given to do its work with. */
export interface ToolContext {
  readonly clock: Clock;
  readonly progress: Progress;
  /** Aborts on SIGINT, SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Writes to standard output; resolves when more may be written. */
  readonly out: (text: string) => Promise<void> | void;
  /** Tells a person something, on the error stream; a newline is added. */
  readonly tell: (sentence: string) => void;
  readonly fillRandom: (bytes: Uint8Array) => void;
}

/** Flags every tool has. */
export interface ToolFlags {
  readonly quiet?: boolean;
}

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const CHUNK_CHARACTERS = 64 * 1024;

/** Runs a tool. It returns false where it found something wrong, which is exit code 1. Never throws. */
export async function runTool(
  name: string,
  flags: ToolFlags,
  work: (context: ToolContext) => Promise<boolean>,
): Promise<void> {
  const stop = new AbortController();
  const abort = (why: string): void => stop.abort(new DOMException(why, 'AbortError'));
  const onSignal = (signal: NodeJS.Signals): void => abort(`received ${signal}`);
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const progress = new Progress({
    stream: process.stderr,
    clock: systemClock,
    quiet: flags.quiet ?? false,
  });
  const output = new Output(() => abort('nobody reads the output'));
  const context: ToolContext = {
    clock: systemClock,
    progress,
    signal: stop.signal,
    out: text => output.write(text),
    tell(sentence) {
      progress.end();
      process.stderr.write(`${sentence}\n`);
    },
    fillRandom: bytes => void randomFillSync(bytes),
  };
  try {
    if (!(await work(context))) process.exitCode = EXIT_FAILURE;
    await output.flush();
  } catch (error) {
    progress.end();
    process.exitCode = output.broken ? 0 : report(name, error);
  } finally {
    progress.end();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** Standard output, gathered into large writes. */
class Output {
  /** True once the reader has gone, as `head` does. */
  broken = false;
  #text = '';

  constructor(onBroken: () => void) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      this.broken = true;
      onBroken();
    });
  }

  write(text: string): Promise<void> | void {
    this.#text += text;
    if (this.#text.length >= CHUNK_CHARACTERS) return this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text === '' || this.broken) return;
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  }
}

function report(name: string, thrown: unknown): number {
  const error = OutpostError.from(thrown);
  const detail =
    error.code === 'internal' && thrown instanceof Error ? thrown.stack : error.message;
  process.stderr.write(`outpost tools ${name}: ${detail}\n`);
  return error.code === 'bad-data' ? EXIT_USAGE : EXIT_FAILURE;
}
