// Damaged remote-write requests are refused or read as something that was really stored; nothing throws.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { snappyEncode } from '../../src/encoding/snappy.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import { RemoteWriteReceiver } from '../../src/remote/receiver.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../fakes/memory-storage.ts';
import { encodeWriteRequest } from '../fakes/write-request.ts';

const HEADERS = { contentType: undefined, contentEncoding: undefined };

function newReceiver(): RemoteWriteReceiver {
  return new RemoteWriteReceiver({
    appendable: new MemoryStorage(),
    clock: new ManualClock(0),
    registry: new Registry(),
    seed: 1,
  });
}

const whole = encodeWriteRequest(
  [
    {
      labels: [
        ['__name__', 'up'],
        ['job', 'a'],
      ],
      samples: [
        [1_700_000_000_000, 1],
        [1_700_000_000_001, 2],
      ],
    },
    {
      labels: [
        ['__name__', 'b'],
        ['k', 'ü'],
      ],
      samples: [[5, 1]],
      exemplars: 1,
      histograms: 1,
    },
  ],
  [{ type: 1, name: 'x', help: 'h', unit: 'u' }],
);

const edits = fc.array(
  fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), cut: fc.boolean() }),
  { minLength: 1, maxLength: 4 },
);

test('mutated messages are answered 204 or 400', async () => {
  const receiver = newReceiver();
  await fc.assert(
    fc.asyncProperty(edits, fc.boolean(), async (changes, packedToo) => {
      let bytes = Uint8Array.from(whole);
      for (const { at, byte, cut } of changes) {
        if (cut && at < bytes.length && byte < 16) bytes = bytes.slice(0, at);
        else if (at < bytes.length) bytes[at] = byte;
      }
      const body = snappyEncode(bytes);
      const first = changes[0]!;
      if (packedToo && first.at < body.length) body[first.at] = first.byte;
      const { status } = await receiver.receive(body, HEADERS);
      expect([204, 400]).toContain(status);
    }),
    { numRuns: 2000 },
  );
});

test('arbitrary bytes are answered 204 or 400', async () => {
  const receiver = newReceiver();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, packed) => {
      const { status } = await receiver.receive(packed ? snappyEncode(bytes) : bytes, HEADERS);
      expect([204, 400]).toContain(status);
    }),
    { numRuns: 2000 },
  );
});
