// XOR2 chunks that Prometheus has written.

import { describe, expect, test } from 'vitest';
import { decodeChunk } from '../../../src/storage/chunks.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import { ChunkEncoding } from '../../../src/storage/series.ts';
import { isStaleAt } from '../../../src/storage/stale.ts';
import { decodeXor2 } from '../../../src/storage/xor2-chunk.ts';
import { writtenCases } from '../../fakes/prometheus-cases.ts';

describe('XOR2 chunks', () => {
  test.each(writtenCases('xor2'))('$name are read', ({ samples, bytes }) => {
    const out = new SampleColumns(2);
    const data = Buffer.from(bytes[0]!, 'hex');
    const chunk = { data, encoding: ChunkEncoding.xor2, minTime: 0, maxTime: 0 };
    decodeChunk(chunk, -Infinity, Infinity, out);
    const read = Array.from({ length: out.length }, (_, i) => [
      out.times[i],
      isStaleAt(out.values, i) ? 'stale' : out.values[i],
      out.startTimes?.[i],
    ]);
    expect(read).toEqual(samples.map(({ t, v, st, stale }) => [t, stale ? 'stale' : v, st]));
  });

  test('a range takes its samples only', () => {
    const { bytes } = writtenCases('xor2')[0]!;
    const out = new SampleColumns();
    decodeXor2(Buffer.from(bytes[0]!, 'hex'), 10_000, 50_000, out);
    expect([...out.times.subarray(0, out.length)]).toEqual([10_000, 25_000, 40_000]);
  });

  test.each([
    ['no header', '0001'],
    ['more samples than bits', '010000ff'],
    ['an end inside a sample', '000100d00f3ff0'],
    ['a varint that does not end', `000100${'ff'.repeat(20)}`],
    ['a time that is none', `000100${'ff'.repeat(9)}01${'00'.repeat(8)}`],
    ['a window before there is one', `000300d00f3ff0000000000000${'0140'}`],
  ])('%s is corrupt', (_, hex) => {
    const out = new SampleColumns();
    expect(() => decodeXor2(Buffer.from(hex, 'hex'), -Infinity, Infinity, out)).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    );
  });
});
