// Answers of plugins: what the generated codec writes the hand-written reader reads, and bytes of any kind
// neither break the reader nor get past the intake.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SampleBatch } from '../../plugins/host/sample-batch-reader.ts';
import { SeriesIntake } from '../../plugins/host/series-intake.ts';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { RecordingSink } from '../fakes/recording-sink.ts';

const { CollectResponse } = outpost.plugin.v1;

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
/** Often the same, so that families, series and samples meet. */
const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('x', 'y') }, text);
const id = fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 6 }) }, fc.nat({ max: 0xffff_fffe }));
const answer = fc.record({
  timeMs: fc.integer({ min: -(2 ** 40), max: 2 ** 45 }),
  definitionSeq: fc.nat(),
  families: fc.array(
    fc.record({ name, type: fc.nat({ max: 7 }), help: text, unit: text, collector: text }),
    { maxLength: 4 },
  ),
  series: fc.array(
    fc.record({
      id,
      family: name,
      labels: fc.array(fc.record({ name, value: name }), { maxLength: 3 }),
      suffix: fc.constantFrom('', '', '_bucket', '_sum', 'odd'),
    }),
    { maxLength: 6 },
  ),
  ids: fc.array(id, { maxLength: 12 }),
  values: fc.array(fc.double(), { maxLength: 12 }),
  failures: fc.array(fc.record({ collector: text, message: text }), { maxLength: 2 }),
  partial: fc.boolean(),
  ended: fc.array(id, { maxLength: 4 }),
});

describe('SampleBatch', () => {
  it('reads what the generated codec writes', () => {
    const batch = new SampleBatch();
    fc.assert(
      fc.property(answer, message => {
        batch.decode(CollectResponse.encode(message).finish());
        expect(batch.timeMs).toBe(message.timeMs);
        expect(batch.definitionSeq).toBe(message.definitionSeq);
        expect(batch.families.map(({ name, help, unit }) => [name, help, unit])).toEqual(
          message.families.map(({ name, help, unit }) => [name, help, unit]),
        );
        expect(batch.series).toEqual(
          message.series.map(({ id, family, labels, suffix }) => ({
            id,
            family,
            pairs: labels.flatMap(({ name, value }) => [name, value]),
            suffix,
          })),
        );
        expect([...batch.ids.subarray(0, batch.idCount)]).toEqual(message.ids);
        expect([...batch.values.subarray(0, batch.valueCount)]).toEqual(message.values);
        expect(batch.failures).toEqual(message.failures);
        expect(batch.partial).toBe(message.partial);
        expect(batch.ended).toEqual(message.ended);
      }),
      { numRuns: 500 },
    );
  });

  it('reads any bytes, or refuses them with a RangeError', () => {
    const batch = new SampleBatch();
    const decode = (bytes: Uint8Array): void => {
      try {
        batch.decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decode), { numRuns: 2000 });
    const damaged = fc.tuple(answer, fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(damaged, ([message, position, byte]) => {
        const bytes = CollectResponse.encode(message).finish();
        if (bytes.length > 0) bytes[position % bytes.length] = byte;
        decode(bytes);
        decode(bytes.subarray(0, position % (bytes.length + 1)));
      }),
      { numRuns: 1000 },
    );
  });

  it('lets nothing past the intake that its sink may not get', async () => {
    const sequence = fc.array(answer, { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sequence, async answers => {
        // The sink checks that every sample has an announced series, once.
        const sink = new RecordingSink();
        const intake = new SeriesIntake({ plugin: 'p', sink, seriesMax: 5, onDropped: () => {} });
        const batch = new SampleBatch();
        for (const [i, message] of answers.entries()) {
          batch.decode(CollectResponse.encode(message).finish());
          await intake.take(batch, i);
          expect(intake.seriesCount).toBeLessThanOrEqual(5);
        }
        await intake.close(answers.length);
      }),
      { numRuns: 500 },
    );
  });
});
