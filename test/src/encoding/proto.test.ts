// The hand-written protobuf wire codec, against literal bytes and against itself.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtoReader, ProtoWriter } from '../../../src/encoding/proto.ts';

describe('ProtoWriter', () => {
  it('writes the wire format of the specification', () => {
    const writer = new ProtoWriter(1);
    writer.varintField(1, 150);
    writer.stringField(2, 'testing');
    writer.messageField(3, () => writer.varintField(1, 150));
    expect(Buffer.from(writer.finish()).toString('hex')).toBe(
      '089601' + '120774657374696e67' + '1a03089601',
    );
  });

  it.each([
    [-1, 'ffffffffffffffffff01'],
    [-(2 ** 63), '80808080808080808001'],
    [2 ** 63, 'ffffffffffffffff7f'],
  ])('writes int64 %d in two’s complement, saturating at the extremes', (value, hex) => {
    const writer = new ProtoWriter();
    writer.int64(value);
    expect(Buffer.from(writer.finish()).toString('hex')).toBe(hex);
  });

  it('moves a long embedded message to make room for its length', () => {
    const writer = new ProtoWriter(4);
    const text = 'x'.repeat(300);
    writer.messageField(7, () => writer.stringField(1, text));
    const outer = new ProtoReader(writer.finish());
    expect(outer.next() && outer.field).toBe(7);
    const inner = outer.message();
    expect(inner.next() && inner.string()).toBe(text);
    expect(outer.next()).toBe(false);
  });
});

describe('ProtoReader', () => {
  it('reads back what the writer wrote', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.double(), fc.string({ unit: 'grapheme' }), (i, d, s) => {
        const writer = new ProtoWriter(1);
        writer.int64Field(1, i);
        writer.doubleField(2, d);
        writer.stringField(3, s);
        const reader = new ProtoReader(writer.finish());
        expect(reader.next() && reader.int64()).toBe(i);
        expect(reader.next() && reader.double()).toBe(d);
        expect(reader.next() && reader.string()).toBe(s);
      }),
    );
  });

  it('throws RangeError on mutilated bytes and never reads beyond the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        const reader = new ProtoReader(bytes);
        try {
          while (reader.next()) reader.skip();
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        expect(reader.at).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
