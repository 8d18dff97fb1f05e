import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtoWriter } from '../../../src/encoding/proto.ts';
import { snappyEncode } from '../../../src/encoding/snappy.ts';
import { NO_SERIES_REF, ScanStop, WriteIntake } from '../../../src/kernels/write-intake.ts';
import { IntakeReading } from '../../fakes/intake-reading.ts';
import { encodeWriteRequest, type WrittenSeries } from '../../fakes/write-request.ts';
import { readWriteRequest } from './write-request-twin.ts';

const T = 1_700_000_000_000;

function newIntake(limits: Partial<ConstructorParameters<typeof WriteIntake>[0]> = {}) {
  return new WriteIntake({
    bodyBytesMax: 1 << 22,
    samplesMax: 100_000,
    seriesMax: 100_000,
    labelBytesMax: 1 << 24,
    seed: 99,
    ...limits,
  });
}

function series(name: string, samples: WrittenSeries['samples'] = [[T, 1]]): WrittenSeries {
  return { labels: [['__name__', name]], samples };
}

describe('reading', () => {
  const names = fc.integer({ min: 0, max: 30 }).map(i => `series_${'x'.repeat(i)}`);
  const times = fc.oneof(
    fc.integer({ min: T, max: T + 1e9 }),
    fc.constantFrom(0, -1, 2 ** 35 - 1, 2 ** 35, 2 ** 42 - 1, 2 ** 42, 2 ** 53, -(2 ** 53)),
  );
  const written = fc.record({
    labels: fc.array(fc.tuple(names, fc.string({ maxLength: 20 })), { maxLength: 5 }),
    samples: fc.array(fc.tuple(times, fc.double()), { maxLength: 4 }),
    histograms: fc.nat(2),
    exemplars: fc.nat(2),
    split: fc.boolean(),
  });
  const requests = fc.array(fc.array(written, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
  const metadata = [{ type: 1, name: 'x_total', help: 'X.', unit: '' }];

  test('agrees with the twin, request after request, known series or not', () => {
    const reading = new IntakeReading(newIntake());
    fc.assert(
      fc.property(requests, all => {
        for (const one of [...all, ...all]) {
          const bytes = encodeWriteRequest(one, metadata);
          const expected = readWriteRequest(bytes);
          expect(reading.read(snappyEncode(bytes))).toEqual(expected);
          expect(reading.again()).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
    expect(reading.asked).toBeGreaterThan(100);
  });

  test('agrees with the twin about damaged requests', () => {
    const reading = new IntakeReading(newIntake());
    const edit = fc.record({ at: fc.nat(), byte: fc.nat(255), isCut: fc.boolean() });
    const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
    let damaged = 0;
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 4 }), edits, (one, changes) => {
        let bytes = encodeWriteRequest(one, metadata);
        for (const { at, byte, isCut } of changes) {
          if (isCut && byte < 32) bytes = bytes.slice(0, at % bytes.length);
          else bytes[at % bytes.length] = byte;
          if (bytes.length === 0) return;
        }
        const read = readWriteRequest(bytes);
        if (read === null) damaged++;
        expect(reading.read(snappyEncode(bytes))).toEqual(read);
      }),
      { numRuns: 2000 },
    );
    expect(damaged).toBeGreaterThan(200);
  });

  test('takes a sample without a value for zero', () => {
    const w = new ProtoWriter();
    w.messageField(1, () => {
      w.messageField(1, () => w.stringField(1, 'a'));
      w.messageField(2, () => w.int64Field(2, T));
      w.messageField(2, () => w.doubleField(1, 5));
      w.messageField(2, () => {});
    });
    const reading = new IntakeReading(newIntake());
    expect(reading.read(snappyEncode(w.finish()))!.series[0]!.samples).toEqual([
      [T, '0000000000000000'],
      [0, '0000000000001440'],
      [0, '0000000000000000'],
    ]);
  });

  test.each([
    ['field number 0', [0x00]],
    ['a group', [0x0b]],
    ['a varint of eleven bytes', [0x28, ...Array(10).fill(0xff), 0x01]],
    ['a field number of more than 64 bits', [...Array(9).fill(0x80), 0x02]],
    ['a length of more than 64 bits', [0x0a, ...Array(9).fill(0x80), 0x7f]],
    ['a length beyond the message', [0x0a, 0x01]],
    ['a series whose label overruns it', [0x0a, 0x02, 0x0a, 0x01, 0x00]],
    ['a sample whose value overruns it', [0x0a, 0x04, 0x12, 0x02, 0x09, 0x00]],
    ['a fixed number cut short', [0x29, 1, 2, 3]],
  ])('%s is damage', (_, bytes) => {
    const message = Uint8Array.from(bytes);
    expect(new IntakeReading(newIntake()).read(snappyEncode(message))).toBe(null);
    expect(readWriteRequest(message)).toBe(null);
  });

  test('stops where the columns are full, be it of samples or of series', () => {
    const three = [
      [T, 1],
      [T + 1, 1],
      [T + 2, 1],
    ] as const;
    const stops = (limit: number, one: readonly WrittenSeries[]): number => {
      const intake = newIntake({ samplesMax: limit });
      const bytes = encodeWriteRequest(one);
      const body = snappyEncode(bytes);
      intake.load(body.subarray(1), bytes.length);
      while (!intake.decode());
      intake.start();
      for (;;) {
        const stop = intake.scan(false);
        if (stop !== ScanStop.newcomers) return stop;
        intake.settleNewcomers(Uint32Array.of(1));
      }
    };
    expect(stops(3, [series('a', three)])).toBe(ScanStop.end);
    expect(stops(2, [series('a', three)])).toBe(ScanStop.tooMany);
    expect(stops(2, [series('a', []), series('b', [])])).toBe(ScanStop.end);
    expect(stops(2, [series('a', []), series('b', []), series('c', [])])).toBe(ScanStop.tooMany);
  });

  test('gives way within a long request', () => {
    const intake = newIntake();
    const samples = Array.from({ length: 50_000 }, (_, i) => [T + i, i] as const);
    const bytes = encodeWriteRequest(
      Array.from({ length: 50 }, (_, i) =>
        series(`s${i}`, samples.slice(i * 1000, i * 1000 + 1000)),
      ),
    );
    const body = snappyEncode(bytes);
    intake.load(body.subarray(3), bytes.length);
    while (!intake.decode());
    const scans = (): number[] => {
      const stops: number[] = [];
      intake.start();
      for (let stop = intake.scan(false); stop !== ScanStop.end; stop = intake.scan(false)) {
        stops.push(stop);
        if (stop !== ScanStop.newcomers) continue;
        intake.settleNewcomers(Uint32Array.from({ length: 50 }, (_, i) => i + 1));
      }
      return stops;
    };
    expect(scans()).toEqual([...Array(6).fill(ScanStop.more), ScanStop.newcomers]);
    expect(scans()).toEqual(Array(6).fill(ScanStop.more));
    expect(intake.length).toBe(50_000);
  });
});

describe('known series', () => {
  const body = (names: readonly string[]): Uint8Array =>
    snappyEncode(encodeWriteRequest(names.map(name => series(name))));
  const named = (count: number, from = 0): string[] =>
    Array.from({ length: count }, (_, i) => `series-${from + i}`);

  test('are told apart by the thousand, in whatever order they come', () => {
    const intake = newIntake();
    const reading = new IntakeReading(intake);
    const names = named(5000);
    const expected = readWriteRequest(encodeWriteRequest(names.map(name => series(name))));
    expect(reading.read(body(names))).toEqual(expected);
    expect([reading.asked, intake.knownSeries]).toEqual([5000, 5000]);
    for (const order of [names, names.toReversed(), [...names.slice(2500), ...named(2500)]]) {
      reading.read(body(order));
      expect(reading.asked).toBe(5000);
    }
    reading.read(body(['series-5000', 'series-499']));
    expect(reading.asked).toBe(5001);
  });

  test('can be given another reference', () => {
    const intake = newIntake();
    const write = (ref: number, expected: number): void => {
      const bytes = encodeWriteRequest([series('a')]);
      intake.load(snappyEncode(bytes).subarray(1), bytes.length);
      intake.decode();
      intake.start();
      intake.scan(true);
      expect(intake.foundRef).toBe(expected);
      intake.remember(ref);
      intake.settle(ref);
    };
    write(1, NO_SERIES_REF);
    write(2, 1);
    write(2, 2);
    expect(intake.knownSeries).toBe(1);
  });

  test('stay while they are used and go when they are not, within the bounds', () => {
    const intake = newIntake({ seriesMax: 100 });
    const reading = new IntakeReading(intake);
    reading.read(body(['used']));
    for (let i = 0; i < 1000; i++) {
      const before = reading.asked;
      reading.read(body([`series-${i}`, 'used']));
      expect(reading.asked).toBe(before + 1);
      expect(intake.knownSeries).toBeLessThanOrEqual(200);
    }
    const before = reading.asked;
    reading.read(body(['series-1']));
    expect(reading.asked).toBe(before + 1);
  });

  test('are bounded by the bytes of their labels, too', () => {
    const intake = newIntake({ labelBytesMax: 1200 });
    const reading = new IntakeReading(intake);
    for (let i = 0; i < 100; i++) reading.read(body([`${i}`.padStart(100, '.')]));
    expect(intake.knownSeries).toBeLessThanOrEqual(20);
    reading.read(body(['99'.padStart(100, '.')]));
    expect(reading.asked).toBe(100);
    reading.read(body(['y'.repeat(1300)]));
    reading.read(body(['y'.repeat(1300)]));
    expect(reading.asked).toBe(102);
  });

  test('differ where only the last byte, or a label more, does', () => {
    const reading = new IntakeReading(newIntake());
    const label = (value: string) => [['name', value] as const];
    const more = [...label('a'), ['other', 'b'] as const];
    for (let i = 0; i < 3; i++) {
      const one = [label('a'), label('b'), more, label('a')].map(labels => ({ labels }));
      const bytes = encodeWriteRequest(one);
      expect(reading.read(snappyEncode(bytes))).toEqual(readWriteRequest(bytes));
    }
    expect(reading.asked).toBe(3);
  });
});
