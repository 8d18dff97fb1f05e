// Any series written as a block are read back as they were, and any matchers select what a naive filter
// selects.

import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher, matchesAll } from '../../src/labels/matcher.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import type { SeriesSet } from '../../src/storage/series.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { compactBlocks } from '../../src/tsdb/compact/compactor.ts';
import { type StoredSeries, T0 } from '../acceptance/querier.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { ulids, writeTestBlock } from '../fakes/test-blocks.ts';

const NAMES = ['a', 'b', '__name__', 'ä', '\ue000', '\u{1f600}', 'A', 'aa'];
const VALUES = ['', 'x', 'y', 'xy', 'x\ny', '\uffee', '\u{10ffff}', '\u{1f600}x', 'ü', '|', '.*'];

const labelValue = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
  { weight: 1, arbitrary: fc.string({ minLength: 100, maxLength: 300 }) },
);
const labelSet = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), labelValue), { minLength: 1, maxLength: 5 })
  .map(pairs => Labels.fromPairs(pairs));

const samples = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat(), fc.nat()), {
    minLength: 1,
    maxLength: 40,
  })
  .map(rows => {
    const values = new Float64Array(rows.length);
    const words = new Uint32Array(values.buffer);
    let time = T0;
    const times = rows.map(([step, low, high], i) => {
      words[2 * i] = low;
      words[2 * i + 1] = high;
      return (time += step);
    });
    return { times, values };
  });

const manySeries = fc
  .uniqueArray(labelSet, { selector: labels => labels.key, minLength: 1, maxLength: 60 })
  .filter(sets => sets.every(labels => labels.size > 0))
  .chain(sets =>
    fc
      .array(samples, { minLength: sets.length, maxLength: sets.length })
      .map(columns =>
        sets.map((labels, i): StoredSeries => ({ labels: labels.toObject(), ...columns[i]! })),
      ),
  );

const matcher = fc
  .tuple(
    fc.constantFrom('=', '!=', '=~', '!~'),
    fc.constantFrom(...NAMES, 'absent'),
    fc.constantFrom(
      '',
      'x',
      'y',
      'x|y',
      'x|',
      '.*',
      '.+',
      'x.*',
      '.*y',
      '[xy]+',
      '\uffee',
      '(x|ü)?',
    ),
  )
  .map(([type, name, value]) => new Matcher(type as '=', name, value));

/** Series as text with the bits of every sample. */
async function read(set: SeriesSet): Promise<string[]> {
  const lines: string[] = [];
  const columns = new SampleColumns();
  for (let batch = await set.next(); batch; batch = await set.next()) {
    for (const series of batch) {
      columns.clear();
      series.samples(columns);
      lines.push(lineOf(series.labels, columns.times, columns.values, columns.length));
    }
  }
  return lines;
}

function lineOf(
  labels: Labels,
  times: ArrayLike<number>,
  values: Float64Array,
  length = times.length,
): string {
  const words = new Uint32Array(values.buffer, values.byteOffset, length * 2);
  const shown = Array.from({ length }, (_, i) => `${times[i]}:${words[2 * i]}.${words[2 * i + 1]}`);
  return `${labels.key} ${shown.join(' ')}`;
}

function expectedLines(series: readonly StoredSeries[]): string[] {
  return series
    .map(({ labels, times, values }) => ({ labels: Labels.fromObject(labels), times, values }))
    .sort((a, b) => a.labels.compareTo(b.labels))
    .map(({ labels, times, values }) => lineOf(labels, times, values));
}

test('a block holds exactly what was written, however much of its index is resident', async () => {
  const dir = temporaryDirectory();
  await fc.assert(
    fc.asyncProperty(manySeries, fc.constantFrom(0, 1e6), async (series, residentBytesMax) => {
      const path = await writeTestBlock(dir, series);
      const block = await Block.open(path, { residentBytesMax });
      const querier = block.querier(0, 2e15);
      try {
        expect(await read(await querier.select([]))).toEqual(expectedLines(series));
        const names = new Set(series.flatMap(({ labels }) => Object.keys(labels)));
        for (const name of [...names]) {
          if (series.every(({ labels }) => labels[name] === '')) names.delete(name);
        }
        expect(new Set((await querier.labelNames([])).values)).toEqual(names);
      } finally {
        querier.close();
        await block.close();
        await rm(path, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});

test('matchers select what a naive filter selects', async () => {
  const dir = temporaryDirectory();
  await fc.assert(
    fc.asyncProperty(
      manySeries,
      fc.array(fc.array(matcher, { minLength: 1, maxLength: 3 }), { minLength: 10, maxLength: 10 }),
      fc.constantFrom(0, 1e6),
      async (series, selections, residentBytesMax) => {
        const path = await writeTestBlock(dir, series);
        const block = await Block.open(path, { residentBytesMax });
        const querier = block.querier(0, 2e15);
        try {
          for (const matchers of selections) {
            const chosen = series.filter(({ labels }) =>
              matchesAll(matchers, name => labels[name] ?? ''),
            );
            expect(await read(await querier.select(matchers))).toEqual(expectedLines(chosen));
            const values = new Set(chosen.map(({ labels }) => labels.a ?? ''));
            values.delete('');
            const answer = await querier.labelValues('a', matchers);
            expect(new Set(answer.values)).toEqual(values);
            expect(answer.values).toHaveLength(values.size);
          }
        } finally {
          querier.close();
          await block.close();
          await rm(path, { recursive: true });
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('compaction of any blocks is the union of their samples', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(manySeries, { minLength: 1, maxLength: 3 }), async blocks => {
      const dir = temporaryDirectory();
      const paths: string[] = [];
      for (const series of blocks) paths.push(await writeTestBlock(dir, series));
      const meta = await compactBlocks(paths, dir, { ulid: ulids.next() });
      const block = await Block.open(`${dir}/${meta!.ulid}`);
      const querier = block.querier(0, 2e15);
      try {
        expect(await read(await querier.select([]))).toEqual(expectedLines(unionOf(blocks)));
      } finally {
        querier.close();
        await block.close();
      }
    }),
    { numRuns: 25 },
  );
});

/** One sample for each series and time; the first block's wins. */
function unionOf(blocks: readonly (readonly StoredSeries[])[]): StoredSeries[] {
  const bySeries = new Map<
    string,
    { labels: Labels; samples: Map<number, [Float64Array, number]> }
  >();
  for (const { labels: object, times, values } of blocks.flat()) {
    const labels = Labels.fromObject(object);
    const entry = bySeries.get(labels.key) ?? { labels, samples: new Map() };
    bySeries.set(labels.key, entry);
    times.forEach((time, i) => {
      if (!entry.samples.has(time)) entry.samples.set(time, [values, i]);
    });
  }
  return [...bySeries.values()].map(({ labels, samples }) => {
    const times = [...samples.keys()].sort((a, b) => a - b);
    const values = new Float64Array(times.length);
    times.forEach((time, i) => {
      const [source, at] = samples.get(time)!;
      values.set(source.subarray(at, at + 1), i);
    });
    return { labels: labels.toObject(), times, values };
  });
}
