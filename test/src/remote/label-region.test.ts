import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtoWriter } from '../../../src/encoding/proto.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { decodeLabels } from '../../../src/remote/label-region.ts';

type Pair = readonly [name: string, value: string];

/** A region; `odd` writes values before names. */
function region(pairs: readonly Pair[], odd = false): Uint8Array {
  const w = new ProtoWriter();
  for (const [name, value] of pairs) {
    w.messageField(1, () => {
      if (odd) w.stringField(2, value);
      w.stringField(1, name);
      if (!odd) w.stringField(2, value);
    });
  }
  return w.finish();
}

describe('labels of a region', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ minLength: 120, maxLength: 200 }),
  );

  test('are those that were written, sorted and without empty ones, in whatever order of fields', () => {
    const pairs = fc.uniqueArray(fc.tuple(text, text), { maxLength: 8, selector: p => p[0] });
    fc.assert(
      fc.property(pairs, fc.boolean(), (written, odd) => {
        expect(decodeLabels(region(written, odd)).pairs).toEqual(Labels.fromPairs(written).pairs);
      }),
    );
  });

  test('are read from bytes that lie within others', () => {
    const whole = Buffer.concat([Buffer.from('xyz'), region([['a', 'b']]), Buffer.from('tail')]);
    expect(decodeLabels(whole.subarray(3, -4)).pairs).toEqual(['a', 'b']);
  });

  test.each([
    ['a label that ends before its value', [0x0a, 0x06, 0x0a, 0x01, 0x61, 0x12, 0x02, 0x62]],
    ['a name that overruns its label', [0x0a, 0x03, 0x0a, 0x05, 0x61]],
    ['a label that overruns the region', [0x0a, 0x07, 0x0a, 0x01, 0x61, 0x12, 0x01, 0x62]],
  ])('are not read from %s', (_, bytes) => {
    expect(() => decodeLabels(Uint8Array.from(bytes))).toThrow(RangeError);
  });

  test('must not have the same name twice', () => {
    const pairs = [
      ['a', '1'],
      ['a', '2'],
    ] as const;
    expect(() => decodeLabels(region(pairs))).toThrow('label "a" occurs twice');
  });
});
