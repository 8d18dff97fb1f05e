// Every XOR chunk of blocks that Prometheus, Mimir and Thanos wrote: decoded, and written again to the
// same bytes. Prometheus before 3.0 left a zero byte behind chunks that end on a byte boundary
// (prometheus/prometheus#14854); we write as 3.x does.

import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeXor, XorDecoder } from '../../../src/kernels/xor.ts';
import { corpusFolder } from '../../fakes/corpora.ts';

const XOR = 1;
const SEGMENT_HEADER_BYTES = 8;
const CRC_BYTES = 4;

/** The XOR chunks of a segment file: uvarint length, encoding byte, data, CRC, one after another. */
function xorChunks(segment: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = SEGMENT_HEADER_BYTES; at < segment.length; ) {
    let length = 0;
    let shift = 0;
    for (; segment[at]! >= 0x80; shift += 7) length |= (segment[at++]! & 0x7f) << shift;
    length |= segment[at++]! << shift;
    if (segment[at] === XOR) out.push(segment.subarray(at + 1, at + 1 + length));
    at += 1 + length + CRC_BYTES;
  }
  return out;
}

const folder = corpusFolder('tsdb-golden-blocks');

// Counts as the blocks' meta.json states them; the last column is how many chunks carry the old zero byte.
test.for([
  ['prometheus-index-v1', 102, 102, 102],
  ['victoriametrics-apptest/prometheus', 2434, 2434, 2434],
  ['victoriametrics-apptest/mimir-tsdb', 100, 400, 0],
  ['victoriametrics-apptest/thanos-snapshot', 8, 480, 0],
] as const)('chunks of %s keep their bytes', (row, { skip }) => {
  skip(folder === null, 'the golden blocks are not on this machine');
  const [block, chunkCount, sampleCount, paddedCount] = row;
  const decoder = new XorDecoder();
  let samples = 0;
  let padded = 0;
  const chunks = globSync(`${folder}${block}/**/chunks/??????`).flatMap(path =>
    xorChunks(readFileSync(path)),
  );
  for (const chunk of chunks) {
    const count = decoder.decode(chunk);
    const again = encodeXor(decoder.times, decoder.values, 0, count);
    const hasPadding = chunk.length === again.length + 1 && chunk.at(-1) === 0;
    if (hasPadding) padded++;
    const expected = hasPadding ? chunk.subarray(0, -1) : chunk;
    expect(Buffer.compare(again, expected)).toBe(0);
    samples += count;
  }
  expect([chunks.length, samples, padded]).toEqual([chunkCount, sampleCount, paddedCount]);
});
