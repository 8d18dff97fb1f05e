// Whatever a peer sends is read as a frame or refused with an error that says so.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { decodeLabelValuesRequest, decodeSeriesRequest } from '../../src/storeapi/requests.ts';
import { decodeResponse, SeriesEncoder } from '../../src/storeapi/series-codec.ts';
import { StringCache } from '../../src/storeapi/string-cache.ts';

const strings = new StringCache();
const chunk = { minTime: 1, maxTime: 2 ** 41, encoding: 1, data: new Uint8Array(40).fill(7) };
const valid = new SeriesEncoder().series(Labels.fromObject({ __name__: 'up', job: 'x' }), [chunk]);

function holds(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(OutpostError);
  }
}

test('any bytes are a frame, a request, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      holds(() => decodeResponse(bytes, strings));
      holds(() => decodeSeriesRequest(bytes));
      holds(() => decodeLabelValuesRequest(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('a frame with some bytes changed is a frame or refused', () => {
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
      const bytes = valid.slice();
      for (const [at, value] of changes) bytes[at] = value;
      holds(() => decodeResponse(bytes, strings));
    }),
    { numRuns: 5000 },
  );
});
