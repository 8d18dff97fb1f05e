import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/encoding/crc32c.ts';
import { WriteBuffer } from '../../../src/encoding/write-buffer.ts';
import { planReads } from '../../../src/tsdb/byte-source.ts';
import { FileSource, MemorySource } from '../../../src/tsdb/file-source.ts';
import { type FrameFormat, readFrames } from '../../../src/tsdb/frames.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

type Pair = readonly [number, number];

describe('planReads', () => {
  it.each<[string, readonly Pair[], readonly (readonly [number, number, readonly number[]])[]]>([
    ['nothing', [], []],
    ['one range', [[5, 9]], [[5, 9, [0]]]],
    [
      'touching ranges',
      [
        [0, 4],
        [4, 8],
      ],
      [[0, 8, [0, 1]]],
    ],
    [
      'ranges with a small gap',
      [
        [0, 4],
        [14, 20],
      ],
      [[0, 20, [0, 1]]],
    ],
    [
      'ranges with a large gap',
      [
        [0, 4],
        [15, 20],
      ],
      [
        [0, 4, [0]],
        [15, 20, [1]],
      ],
    ],
    [
      'overlapping ranges out of order',
      [
        [8, 20],
        [0, 10],
        [3, 5],
      ],
      [[0, 20, [1, 2, 0]]],
    ],
    [
      'ranges beyond the largest read',
      [
        [0, 60],
        [60, 101],
        [101, 110],
      ],
      [
        [0, 60, [0]],
        [60, 110, [1, 2]],
      ],
    ],
    [
      'a range longer than the largest read',
      [
        [0, 500],
        [100, 200],
      ],
      [[0, 500, [0, 1]]],
    ],
  ])('plans %s', (_, ranges, expected) => {
    const given = ranges.map(([start, end]) => ({ start, end }));
    const planned = planReads(given, { gapBytesMax: 10, readBytesMax: 100 });
    expect(planned.map(({ start, end, serves }) => [start, end, serves])).toEqual(expected);
  });
});

describe('a file source', () => {
  function file(size: number): string {
    const path = join(temporaryDirectory(), 'bytes');
    writeFileSync(
      path,
      Uint8Array.from({ length: size }, (_, i) => i),
    );
    return path;
  }

  it('reads ranges in the order asked for', async () => {
    const source = await FileSource.open(file(200));
    expect(source.size).toBe(200);
    const read = await source.read([
      { start: 100, end: 103 },
      { start: 0, end: 2 },
      { start: 7, end: 7 },
    ]);
    expect(read.map(bytes => [...bytes])).toEqual([[100, 101, 102], [0, 1], []]);
    await source.close();
  });

  it('refuses ranges beyond its end', async () => {
    const path = file(10);
    const source = await FileSource.open(path);
    await expect(source.read([{ start: 5, end: 11 }])).rejects.toThrow(
      `6 bytes wanted of 10: ${path} at offset 5`,
    );
    await expect(source.read([{ start: 5, end: 4 }])).rejects.toMatchObject({ code: 'corrupt' });
    truncateSync(path, 4);
    await expect(source.read([{ start: 0, end: 10 }])).rejects.toMatchObject({ code: 'corrupt' });
    await source.close();
  });

  it('finishes running reads before it closes, and then refuses', async () => {
    const source = await FileSource.open(file(100));
    const reading = source.read([{ start: 0, end: 100 }]);
    const closing = source.close();
    expect((await reading)[0]).toHaveLength(100);
    await closing;
    await expect(source.read([{ start: 0, end: 1 }])).rejects.toMatchObject({
      code: 'unavailable',
    });
    await source.close();
  });

  it('reads nothing for an aborted request', async () => {
    const source = await FileSource.open(file(100));
    const read = source.read([{ start: 0, end: 1 }], AbortSignal.abort());
    await expect(read).rejects.toMatchObject({ code: 'canceled' });
    await source.close();
  });
});

describe('frames', () => {
  const FORMAT: FrameFormat = { what: 'frame', length: 'uvarint', uncounted: 1, guess: 16 };

  function frames(...payloads: readonly string[]): { bytes: Uint8Array; offsets: number[] } {
    const buffer = new WriteBuffer();
    const offsets = payloads.map(payload => {
      const at = buffer.length;
      buffer.uvarint(payload.length - 1);
      const from = buffer.length;
      buffer.raw(Buffer.from(payload));
      buffer.crcFrom(from);
      return at;
    });
    return { bytes: buffer.copy(), offsets };
  }

  async function read(bytes: Uint8Array, offsets: number[], ends?: number[]): Promise<string[]> {
    const request = { format: FORMAT, offsets, limit: bytes.length, ...(ends && { ends }) };
    const payloads = await readFrames(new MemorySource('file', bytes), request);
    return payloads.map(payload => Buffer.from(payload).toString());
  }

  it('are read whatever is known about their ends', async () => {
    const long = 'x'.repeat(1000);
    const { bytes, offsets } = frames('ab', long, 'c', long);
    const expected = ['ab', long, 'c', long];
    expect(await read(bytes, offsets)).toEqual(expected);
    expect(await read(bytes, offsets, [...offsets.slice(1), bytes.length])).toEqual(expected);
    expect(
      await read(
        bytes,
        offsets,
        offsets.map(offset => offset + 1),
      ),
    ).toEqual(expected);
    expect(
      await read(
        bytes,
        offsets,
        offsets.map(() => 1e12),
      ),
    ).toEqual(expected);
  });

  it('are refused where a byte has changed', async () => {
    const { bytes, offsets } = frames('abc', 'def');
    bytes[offsets[1]! + 2]! ^= 1;
    expect(await read(bytes, [offsets[0]!])).toEqual(['abc']);
    await expect(read(bytes, offsets)).rejects.toThrow(
      `frame checksum mismatch: file at offset ${offsets[1]}`,
    );
  });

  it('are refused where they reach beyond their section', async () => {
    const { bytes } = frames('abc');
    await expect(read(bytes.subarray(0, 6), [0])).rejects.toThrow('frame longer than its section');
    await expect(read(bytes, [bytes.length])).rejects.toThrow('frame outside its section');
    const endless = new Uint8Array(40).fill(0xff);
    await expect(read(endless, [0])).rejects.toThrow('frame longer than its section');
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});
