import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { snappyEncode, snappyHeader } from '../../../src/encoding/snappy.ts';
import { NO_SERIES_REF, ScanStop, WriteIntake } from '../../../src/kernels/write-intake.ts';
import { decodeLabels } from '../../../src/remote/label-region.ts';
import { encodeWriteRequest, type WrittenSeries } from '../../fakes/write-request.ts';
import { readWriteRequest } from './write-request-twin.ts';

const T = 1_700_000_000_000;

function newIntake(): WriteIntake {
  return new WriteIntake({
    bodyBytesMax: 1 << 22,
    samplesMax: 100_000,
    seriesMax: 100_000,
    labelBytesMax: 1 << 24,
    seed: 7,
  });
}

function load(intake: WriteIntake, series: readonly WrittenSeries[]): Uint8Array {
  const bytes = encodeWriteRequest(series);
  const body = snappyEncode(bytes);
  const header = snappyHeader(body, 1 << 22);
  intake.load(body.subarray(header.bytes), header.length);
  while (!intake.decode());
  intake.start();
  return bytes;
}

/** A store of series by their label bytes; those with `refuses` are not taken. */
class Store {
  readonly known = new Map<string, number>();
  /** Series that came by the batch, and one by one. */
  gathered = 0;
  alone = 0;
  readonly refuses: (labels: string) => boolean;

  constructor(refuses: (labels: string) => boolean = () => false) {
    this.refuses = refuses;
  }

  read(intake: WriteIntake): void {
    for (let stop = intake.scan(false); stop !== ScanStop.end; stop = intake.scan(false)) {
      if (stop === ScanStop.newcomers) this.#batch(intake);
      else if (stop === ScanStop.series) this.#one(intake);
      else expect(stop).toBe(ScanStop.more);
    }
  }

  #batch(intake: WriteIntake): void {
    const { count, texts, runs, ends } = intake.newcomers();
    const refs = new Uint32Array(count);
    for (let i = 0, at = 0; i < count; i++) {
      const pairs: string[] = [];
      for (; at < ends[i]!; at++) pairs.push(texts[runs[at]! * 2]!, texts[runs[at]! * 2 + 1]!);
      const { labels } = intake.newcomer(i);
      // What was gathered says what the bytes say.
      expect(pairs).toEqual(decodeLabels(labels).pairs);
      refs[i] = this.refOf(Buffer.from(labels).toString('hex'));
      this.gathered++;
    }
    intake.settleNewcomers(refs);
  }

  #one(intake: WriteIntake): void {
    let ref = intake.foundRef;
    if (ref === NO_SERIES_REF) {
      this.alone++;
      ref = this.refOf(Buffer.from(intake.found).toString('hex'));
      if (ref !== NO_SERIES_REF) intake.remember(ref);
    }
    intake.settle(ref);
  }

  refOf(labels: string): number {
    if (this.refuses(labels)) return NO_SERIES_REF;
    const ref = this.known.get(labels) ?? this.known.size + 1;
    this.known.set(labels, ref);
    return ref;
  }
}

/** What the columns hold. */
function columns({ refs, times, values, length }: WriteIntake): [number, number, string][] {
  const bits = Buffer.from(values.buffer, values.byteOffset, length * 8);
  return Array.from({ length }, (_, i) => [
    refs[i]!,
    times[i]!,
    bits.toString('hex', i * 8, i * 8 + 8),
  ]);
}

describe('series that nobody knows yet', () => {
  const names = fc.constantFrom('__name__', 'a', 'ab', 'b', 'job', 'ä', 'x'.repeat(130));
  const values = fc.constantFrom('up', 'node_load1', 'x', '', 'ü', 'y'.repeat(200));
  const odd = fc.array(fc.tuple(names, values), { maxLength: 5 });
  const usual = fc
    .subarray(['__name__', 'a', 'ab', 'b', 'job'], { minLength: 1 })
    .chain(some =>
      fc.tuple(...some.map(name => fc.tuple(fc.constant(name), fc.constantFrom('up', 'x', 'ab')))),
    );
  const written = fc.record({
    labels: fc.oneof(odd, usual, usual),
    samples: fc.array(fc.tuple(fc.integer({ min: T, max: T + 1e9 }), fc.double()), {
      maxLength: 4,
    }),
    histograms: fc.constantFrom(0, 0, 0, 1),
    exemplars: fc.constantFrom(0, 0, 0, 1),
    split: fc.constantFrom(false, false, true),
  });

  test('are gathered, given references and dropped as the twin says', () => {
    const refuses = (labels: string): boolean => /026162/.test(labels);
    let gathered = 0;
    let alone = 0;
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 12 }), requests => {
        const intake = newIntake();
        const store = new Store(refuses);
        for (let pass = 0; pass < 2; pass++) {
          const bytes = load(intake, requests);
          store.read(intake);
          const expected = readWriteRequest(bytes)!.series.flatMap(({ labels, samples }) =>
            refuses(labels) ? [] : samples.map(sample => [store.known.get(labels)!, ...sample]),
          );
          expect(columns(intake)).toEqual(expected);
        }
        gathered += store.gathered;
        alone += store.alone;
      }),
      { numRuns: 300 },
    );
    expect(gathered).toBeGreaterThan(100);
    expect(alone).toBeGreaterThan(100);
  });

  test('come by the hundred, and are known the next time', () => {
    const intake = newIntake();
    const store = new Store();
    const many = Array.from({ length: 5000 }, (_, i) => ({
      labels: [
        ['__name__', `m${i % 10}`],
        ['id', String(i)],
      ] as const,
      samples: [[T, i]] as const,
    }));
    load(intake, many);
    store.read(intake);
    expect([store.gathered, store.alone, intake.knownSeries]).toEqual([5000, 0, 5000]);
    expect(columns(intake).map(([ref]) => ref)).toEqual(many.map((_, i) => i + 1));
    load(intake, many);
    store.read(intake);
    expect([store.gathered, store.alone]).toEqual([5000, 0]);
  });

  test.each([
    [
      'labels out of order',
      [
        ['b', '1'],
        ['a', '2'],
      ],
    ],
    [
      'a label twice',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['an empty value', [['a', '']]],
    ['text beyond ASCII', [['a', 'ü']]],
    ['a long value', [['a', 'x'.repeat(128)]]],
    ['no labels', []],
    ['65 labels', Array.from({ length: 65 }, (_, i) => [`l${i + 100}`, 'x'])],
  ] as [string, [string, string][]][])('are asked for alone with %s', (_, labels) => {
    const intake = newIntake();
    const store = new Store();
    load(intake, [{ labels, samples: [[T, 1]] }]);
    store.read(intake);
    expect([store.gathered, store.alone]).toEqual([0, 1]);
  });
});
