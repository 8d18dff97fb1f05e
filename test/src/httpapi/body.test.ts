import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../../../src/httpapi/body.ts';
import { ManualClock, systemClock } from '../../../src/lifecycle/clock.ts';

const PIECE = 'x'.repeat(1024);
const signal = new AbortController().signal;

function* pieces(count: number, onPiece: (i: number) => void = () => {}): Generator<string> {
  for (let i = 0; i < count; i++) {
    onPiece(i);
    yield PIECE;
  }
}

async function stream(count: number, onPiece?: (i: number) => void): Promise<Readable> {
  const options = { packing: null, clock: systemClock, signal };
  const { payload } = await bodyOf(pieces(count, onPiece), options);
  expect(payload).toBeInstanceOf(Readable);
  return payload as Readable;
}

describe('a long body', () => {
  test('is made no faster than it is read', async () => {
    let made = 0;
    const body = await stream(100_000, i => {
      made = i + 1;
    });
    const reader = body[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) await reader.next();
    for (let i = 0; i < 50; i++) await new Promise(resolve => setImmediate(resolve));
    // Three chunks read, and a few of 1024 pieces each made ahead.
    expect(made).toBeLessThan(1024 * 8);
    body.destroy();
  });

  test('lets other work run meanwhile', async () => {
    let turns = 0;
    let isDone = false;
    const count = async (): Promise<void> => {
      for (; !isDone; turns++) await new Promise(resolve => setImmediate(resolve));
    };
    const counting = count();
    // A clock on which every piece takes a millisecond.
    const clock = new ManualClock();
    const options = { packing: null, clock, signal };
    const { payload } = await bodyOf(
      pieces(6400, () => clock.advance(1)),
      options,
    );
    let length = 0;
    for await (const chunk of payload as Readable) length += chunk.length;
    isDone = true;
    await counting;
    expect(length).toBe(6400 * 1024);
    expect(turns).toBeGreaterThan(90);
  });

  test('ends when nobody wants it any more', async () => {
    const gone = new AbortController();
    const clock = new ManualClock();
    const options = { packing: null, clock, signal: gone.signal };
    const { payload } = await bodyOf(
      pieces(100_000, () => clock.advance(1)),
      options,
    );
    gone.abort(new DOMException('gone', 'AbortError'));
    await expect((payload as Readable).toArray()).rejects.toThrow('gone');
  });
});
