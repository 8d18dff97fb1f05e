// Whatever bytes come: scanners read them or refuse them with a place, and the two readers of text agree.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExpositionParser } from '../../src/exposition/parse.ts';
import { parseGoFloat } from '../../src/exposition/parse-float.ts';
import { ByteTable } from '../../src/exposition/scan/byte-table.ts';
import { scanFloat } from '../../src/exposition/scan/number.ts';
import { ProtobufScanner } from '../../src/exposition/scan/protobuf-scanner.ts';
import { TextScanner } from '../../src/exposition/scan/text-scanner.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { entriesOf } from '../fakes/exposition-bodies.ts';

/** What `read` makes, or the text of its refusal; anything else thrown fails the test. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof OutpostError && error.code === 'bad-data') return error.message;
    throw error;
  }
}

const piece = fc.constantFrom(
  ...['a', 'b_total', '{', '}', '"', '\\', ',', '=', ' ', '\t', '\n', '# ', 'TYPE ', 'HELP ', '1'],
  ...['2.5', 'NaN', '+Inf', 'x="y"', 'le="1"', 'counter', 'histogram', '# EOF\n', 'ü', '-', 'e5'],
);
const text = fc.array(piece, { maxLength: 40 }).map(pieces => pieces.join(''));

test.each(['text', 'openmetrics'] as const)('both readers of %s find the same', format => {
  fc.assert(
    fc.property(text, body => {
      const bytes = new TextEncoder().encode(body);
      const fromBytes = outcome(() => entriesOf(new TextScanner(bytes, format)).length);
      const fromText = outcome(() => {
        const parser = new ExpositionParser(body, format);
        let count = 0;
        for (let kind = parser.next(); kind !== 'end'; kind = parser.next()) {
          if (kind === 'comment') continue;
          if (kind === 'sample') parser.labels();
          if (kind === 'sample') parser.exemplar();
          count++;
        }
        return count;
      });
      expect(typeof fromBytes).toBe(typeof fromText);
      if (typeof fromText === 'number') expect(fromBytes).toBe(fromText);
    }),
    { numRuns: 2000 },
  );
});

test('damaged protobuf is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), bytes => {
      outcome(() => entriesOf(new ProtobufScanner(bytes, { native: true, classicToo: true })));
    }),
    { numRuns: 2000 },
  );
});

test('numbers are what the parser of texts makes of them', () => {
  const token = fc.oneof(
    fc.double().map(String),
    fc.stringMatching(/^[+-]?\d{0,20}\.?\d{0,20}([eE][+-]?\d{0,4})?$/),
  );
  fc.assert(
    fc.property(token, written => {
      const bytes = new TextEncoder().encode(written);
      expect(Object.is(scanFloat(bytes, 0, bytes.length), parseGoFloat(written))).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test('a table of bytes is a map', () => {
  const key = fc.uint8Array({ maxLength: 3, max: 3 });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), keys => {
      const table = new ByteTable(5);
      const model = new Map<string, number>();
      for (const one of keys) {
        const known = model.get(one.join());
        expect(table.slotOf(one, 0, one.length)).toBe(known ?? -1);
        if (known === undefined) model.set(one.join(), table.add(one, 0, one.length));
      }
      expect(table.size).toBe(model.size);
    }),
  );
});
